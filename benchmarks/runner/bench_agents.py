"""The programs that are measured, and how each is told to do a row."""

import re
from dataclasses import dataclass
from pathlib import Path

from bench_machine import first_line
from bench_rows import fill_template


@dataclass(frozen=True)
class Place:
    """Where one run happens."""

    folder: Path  # for the run alone, removed after it
    corpus: Path  # the file to read, or a pattern for several
    port: int  # of the receiver
    http: str = "off"  # where the agent's own pages are to be

    def values(self):
        return {
            "corpus": self.corpus,
            "corpus_folder": self.corpus.parent,
            "port": self.port,
            "url": f"http://127.0.0.1:{self.port}",
            "http": self.http,
            "data_dir": self.folder / "data",
            "journal": self.folder / "journal",
        }


def must_exist(binary):
    if not binary.exists():
        raise ValueError(f"there is no {binary}; build it, or name it with --sluice or --tools")


class Sluice:
    name = "sluice"
    has_limits = True  # the design's limits are for it
    ends = True  # stops by itself at the end of its input

    def __init__(self, binary):
        self.binary = Path(binary)

    def prepare(self):
        must_exist(self.binary)

    def version(self):
        return first_line([str(self.binary), "version"])

    def can_do(self, row):
        return row.template("sluice.yaml.in").exists()

    def command(self, row, place):
        """The command that does the row; paced and idle rows run until stopped, others to the end of their input."""
        once = [] if row.steady or row.idle_seconds else ["--once"]
        return self._run(row, "sluice.yaml.in", place, once)

    def fill_command(self, row, place):
        """The command that fills the journal for a row with a backlog, and runs until it is stopped."""
        return self._run(row, "fill.yaml.in", place, [])

    def delivered(self, output):
        """Records that were delivered, as the summary of --once in the agent's output says; None without one."""
        said = re.findall(r"^  -> .*?  delivered (\d+)", output, re.MULTILINE)
        return sum(map(int, said)) if said else None

    def _run(self, row, template, place, more):
        config = place.folder / "sluice.yaml"
        config.write_text(fill_template(row.template(template).read_text(), {**row.settings, **place.values()}))
        return [str(self.binary), "run", *more, "-c", str(config)]


class StraightLine:
    """The reference: what can be had, without any guarantee."""

    name = "straight-line"
    has_limits = False
    ends = True

    def __init__(self, binary):
        self.binary = Path(binary)

    def prepare(self):
        must_exist(self.binary)

    def version(self):
        return "of benchmarks/reference"

    def can_do(self, row):
        return row.straight_line is not None and not row.steady

    def command(self, row, place):
        arguments = [fill_template(word, place.values()) for word in row.straight_line]
        return [str(self.binary), "--port", str(place.port), *arguments]
