"""The programs that are measured, and how each is told to do a row."""

from dataclasses import dataclass
from pathlib import Path

from bench_rows import fill_template


@dataclass(frozen=True)
class Place:
    """Where one run happens."""

    folder: Path  # for the run alone, removed after it
    corpus: Path  # the file to read
    port: int  # of the receiver

    def values(self):
        return {
            "corpus": self.corpus,
            "port": self.port,
            "url": f"http://127.0.0.1:{self.port}",
            "data_dir": self.folder / "data",
            "journal": self.folder / "journal",
        }


class Sluice:
    name = "sluice"
    has_limits = True  # the design's limits are for it

    def __init__(self, binary):
        self.binary = Path(binary)

    def can_do(self, row):
        return (row.folder / "sluice.yaml.in").exists()

    def command(self, row, place):
        """The command that does the row; paced rows run until stopped, others to the end of their input."""
        config = place.folder / "sluice.yaml"
        config.write_text(fill_template((row.folder / "sluice.yaml.in").read_text(), place.values()))
        return [str(self.binary), "run", *([] if row.steady else ["--once"]), "-c", str(config)]


class StraightLine:
    """The reference: what can be had, without any guarantee."""

    name = "straight-line"
    has_limits = False

    def __init__(self, binary):
        self.binary = Path(binary)

    def can_do(self, row):
        return row.straight_line is not None and not row.steady

    def command(self, row, place):
        arguments = [fill_template(word, place.values()) for word in row.straight_line]
        return [str(self.binary), "--file", str(place.corpus), "--port", str(place.port), *arguments]
