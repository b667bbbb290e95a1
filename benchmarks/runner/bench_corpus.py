"""The corpora that rows read: made once by sluice-corpus, and left in the page cache."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CorpusSpec:
    """What sluice-corpus is asked for; equal specs are one corpus."""

    kind: str
    size: int  # bytes
    seed: int
    files: int = 1
    record_size: str = "1000"  # of kind `sized`

    def name(self):
        length = f"-{self.record_size}" if self.kind == "sized" else ""
        return f"{self.kind}{length}-{self.size}-{self.seed}" + (f"-{self.files}" if self.files > 1 else "")


@dataclass(frozen=True)
class Corpus:
    path: Path  # a file, or the folder of several
    canaries: Path  # planted secrets, one a line
    records: int
    size: int  # bytes
    files: int

    def pattern(self):
        """What an agent is told to follow."""
        return self.path / "*.log" if self.files > 1 else self.path


def spec_of(row, size, backlog, seed):
    """The corpus of a row; `size` and `backlog` are bytes for rows that do not set their own."""
    wanted = dict(row.corpus)
    size = wanted.pop("bytes", backlog if row.backlog else size)
    return CorpusSpec(kind=wanted.pop("kind", "winston"), size=size, seed=seed, **wanted)


def make_corpus(tools, work, spec):
    path = work / (spec.name() + ("" if spec.files > 1 else ".log"))
    canaries = work / (spec.name() + ".canaries")
    made = subprocess.run(
        [str(tools / "sluice-corpus"), "--kind", spec.kind, "--bytes", str(spec.size), "--seed", str(spec.seed),
         "--size", spec.record_size, "--files", str(spec.files), "--canaries", str(canaries), str(path)],
        check=True, capture_output=True, text=True)
    said = json.loads(made.stdout)
    return Corpus(path, canaries, said["records"], said["bytes"], said["files"])
