"""Medians of the runs, and whether they meet the design's limits."""

from statistics import median

# limit -> (heading, digits, whether less is better)
FIGURES = {
    "cpu_s_per_gb": ("CPU s/GB", 2, True),
    "mb_per_s": ("MB/s", 0, False),
    "cpu_percent": ("% of a core", 2, True),
    "p99_ms": ("p99 ms", 1, True),
    "resident_mb": ("resident MB", 1, True),
    "peak_mb": ("peak MB", 1, True),
}
FAULTS = ("lost", "doubled", "spoiled")


def summarize(row, agent, runs, errors):
    """One line of the table. `runs` are figures of bench_once, `errors` messages of runs that failed."""
    line = {
        "row": row.name,
        "title": row.title,
        "agent": agent.name,
        "kind": "paced" if row.steady else "idle" if row.idle_seconds else "to its end",
        "judged": agent.has_limits,
        "limits": row.limits if agent.has_limits else {},
        "runs": runs,
        "errors": errors,
    }
    if runs:
        line["median"] = {name: median(run[name] for run in runs) for name in runs[0]}
        line["spread"] = {name: (min(run[name] for run in runs), max(run[name] for run in runs)) for name in runs[0]}
        line["faults"] = {name: max(run[name] for run in runs) for name in FAULTS}
        line["secrets"] = max(run["secrets"] for run in runs) if row.secrets_out else 0
    line["missed"] = missed_limits(line)
    return line


def not_run(row, agent_name, reason):
    """The line of an agent that does not do the row."""
    return {"row": row.name, "title": row.title, "agent": agent_name, "judged": False, "not_run": reason, "limits": {},
            "runs": [], "errors": [], "missed": []}


def missed_limits(line):
    """The limits that the medians do not meet, as sentences; empty when all are met."""
    if "median" not in line:
        return ["no run came to its end"]
    missed = []
    for name, limit in line["limits"].items():
        heading, digits, less_is_better = FIGURES[name]
        value = line["median"][name]
        if value > limit if less_is_better else value < limit:
            missed.append(f"{heading} {value:.{digits}f}, limit {limit:g}")
    return missed


def compare_rows(rows, lines):
    """Adds to each line of a row that is measured against another the ratio to it, where both ran."""
    found = {(line["row"], line["agent"]): line for line in lines}
    for row in rows:
        for line in (line for line in lines if line["row"] == row.name and row.against and "median" in line):
            other = found.get((row.against["row"], line["agent"]), {})
            if "median" in other:
                compare(row.against, line, other)


def compare(rule, line, other):
    ratio = line["median"][rule["figure"]] / other["median"][rule["figure"]]
    line["against"] = {**rule, "ratio": ratio}
    what = f"{FIGURES[rule['figure']][0]} {ratio:.2f} times that of {rule['row']}"
    if not line["judged"]:
        return
    if ratio > rule.get("at_most", ratio):
        line["missed"].append(f"{what}, limit {rule['at_most']:g}")
    if ratio < rule.get("at_least", ratio):
        line["missed"].append(f"{what}, limit {rule['at_least']:g}")


def is_broken(line):
    """Whether the line shows a failed run, a lost, doubled or spoiled record, or a secret. Those of the other agents are
    shown, and no fault of ours."""
    return line["judged"] and bool(line["errors"] or line.get("secrets") or any(line.get("faults", {}).values()))
