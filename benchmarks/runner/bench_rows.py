"""The rows of the benchmark: one folder of scenarios/ each, with row.json and a configuration template an agent."""

import json
from dataclasses import dataclass, field
from pathlib import Path


SETTINGS = {"queue_records": 10000}  # of peers that count their queues in records


@dataclass(frozen=True, eq=False)
class Row:
    name: str
    folder: Path
    title: str
    order: int
    limits: dict = field(default_factory=dict)  # of bench_summary.FIGURES: those that the design sets
    against: dict = field(default_factory=dict)  # row, figure, and at_most or at_least: a ratio to another row
    jobs: list = ()  # rows whose configurations this one uses, the first that has it, where it has none of its own
    settings: dict = field(default_factory=dict)  # values for its templates
    corpus: dict = field(default_factory=dict)  # kind, record_size, files, bytes: see bench_corpus.py
    number: str = "member"  # where the receiver finds a record's number
    counted_by: str = "receiver"  # or "agent": its output leads nowhere, so it is asked what it delivered
    cores: int = 1  # processors that the agent may use
    steady: dict = field(default_factory=dict)  # rate, seconds: paced instead of from a corpus
    idle_seconds: int = 0  # > 0: measured after everything was delivered, while nothing comes
    backlog: bool = False  # a journal is filled first, and only its draining is measured
    straight_line: list = None  # arguments of the straight-line program; None: it can't do this row
    parts_sum: float = None  # s/GB: the sum of the parts' limits, in the design
    cannot: dict = field(default_factory=dict)  # agent -> why it does not run this row
    secrets_out: bool = False  # no planted secret may reach the receiver

    def template(self, name):
        """The configuration template `name` of this row or of its jobs; there may be no such file."""
        own = self.folder / name
        others = [self.folder.parent / job / name for job in self.jobs]
        return next((file for file in [own, *others] if file.exists()), own)


def load_rows(scenarios, names=None):
    """All rows in order, or those named. Unknown names raise ValueError."""
    rows = [
        Row(name=file.parent.name, folder=file.parent, **{"settings": SETTINGS, **json.loads(file.read_text())})
        for file in Path(scenarios).glob("*/row.json")
    ]
    rows.sort(key=lambda row: row.order)
    if not names:
        return rows
    known = {row.name for row in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"there is no row {', '.join(unknown)}; rows: {', '.join(sorted(known))}")
    return [row for row in rows if row.name in names]


def fill_template(text, values):
    """Replaces @name@ by its value; a name without a value raises ValueError."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    left = [word for word in text.split("@")[1::2] if word.replace("_", "").isalpha()]
    if left:
        raise ValueError(f"the template asks for @{left[0]}@, which the runner does not set")
    return text
