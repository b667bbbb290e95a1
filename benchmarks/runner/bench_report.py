"""The table of results: for the terminal and as markdown, with the plot and the raw figures beside it."""

import json

from bench_plot import PLOTS, plot_figure
from bench_summary import FIGURES

COLUMNS = ["row", "agent", "CPU s/GB", "limit", "MB/s", "limit", "peak MB", "limit", "other", "lost", "doubled",
           "spoiled", "secrets", "met"]
SIGNS = {"at_most": "<=", "at_least": ">="}


def cell(line, name):
    """A median and its spread."""
    if name not in line.get("median", {}):
        return ""
    digits = FIGURES[name][1]
    low, high = line["spread"][name]
    middle, low, high = (f"{value:.{digits}f}" for value in (line["median"][name], low, high))
    return middle if low == high else f"{middle} ({low}-{high})"


def limit(line, name):
    if name not in line["limits"]:
        return ""
    return f"{'<=' if FIGURES[name][2] else '>='} {line['limits'][name]:g}"


def other_figures(line):
    """The figures that not every row has, with their limits."""
    said = [f"{FIGURES[name][0]} {cell(line, name)} {limit(line, name)}".strip()
            for name in ("cpu_percent", "p99_ms", "resident_mb") if cell(line, name)]
    if "against" in line:
        rule = line["against"]
        bounds = [f"{SIGNS[name]} {rule[name]:g}" for name in SIGNS if name in rule and line["judged"]]
        said.append(" ".join([f"{FIGURES[rule['figure']][0]} {rule['ratio']:.2f} x {rule['row']}", *bounds]))
    return ", ".join(said) or line.get("not_run", "")


def verdict(line):
    if "not_run" in line:
        return "not run"
    if line["errors"]:
        return "failed"
    if not line["limits"]:
        return ""
    return "no" if line["missed"] else "yes"


def table_rows(lines):
    for line in lines:
        faults = line.get("faults", {})
        secrets = line.get("secrets", "") if "secrets_checked" in line else ""
        yield [
            line["row"], line["agent"],
            cell(line, "cpu_s_per_gb"), limit(line, "cpu_s_per_gb"),
            cell(line, "mb_per_s"), limit(line, "mb_per_s"),
            cell(line, "peak_mb"), limit(line, "peak_mb"),
            other_figures(line),
            *(str(faults.get(name, "")) for name in ("lost", "doubled", "spoiled")),
            str(secrets), verdict(line),
        ]


def format_table(lines):
    return align([COLUMNS, *table_rows(lines)])


def format_ratios(lines):
    """sluice beside each peer: how many times less of what is better small, how many times more of what is better
    large. Empty when only one agent ran."""
    ours = {line["row"]: line["median"] for line in lines if line["judged"] and "median" in line}
    peers = [line for line in lines if not line["judged"] and "median" in line and line["row"] in ours]
    rows = [[line["row"], line["agent"], *(ratio(name, ours[line["row"]], line["median"]) for name in FIGURES),
             *(str(line["faults"][name]) for name in ("lost", "doubled"))] for line in peers]
    headings = [f"{FIGURES[name][0]}, times {'less' if FIGURES[name][2] else 'more'}" for name in FIGURES]
    return align([["row", "beside", *headings, "it lost", "it doubled"], *rows]) if rows else ""


def ratio(name, ours, theirs):
    """How many times better ours is; nothing where there is no figure, or nothing to divide by."""
    if not ours.get(name) or not theirs.get(name):
        return ""
    return f"{theirs[name] / ours[name] if FIGURES[name][2] else ours[name] / theirs[name]:.1f}"


def align(rows):
    """A table in markdown, its columns aligned so that it reads well on a terminal, too."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    text = ["| " + " | ".join(word.ljust(width) for word, width in zip(row, widths)) + " |" for row in rows]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(text) + "\n"


def format_misses(lines):
    """What was not met and what failed, one a line."""
    text = []
    for line in lines:
        for missed in line["missed"]:
            text.append(f"- {line['row']}, {line['agent']}: {missed}")
        for error in line["errors"]:
            text.append(f"- {line['row']}, {line['agent']}: {error}")
    return "\n".join(text) + ("\n" if text else "")


def write_results(folder, lines, machine, settings):
    """Writes rows.json, rows.md and the plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine, "settings": settings, "rows": lines}
    (folder / "rows.json").write_text(json.dumps(result, indent=1) + "\n")
    plots = write_plots(folder, lines)
    misses = format_misses(lines)
    (folder / "rows.md").write_text(
        "# Benchmark rows\n\n"
        "Medians, in brackets the lowest and highest run. CPU is the agent's processor seconds a GB of input.\n\n"
        + format_table(lines)
        + (f"\nsluice beside the others:\n\n{format_ratios(lines)}" if format_ratios(lines) else "")
        + (f"\nNot met:\n\n{misses}" if misses else "\nAll met.\n")
        + "\n" + "".join(f"![{title}]({file})\n" for file, title in plots) + "\n## Settings\n\n"
        + "".join(f"- {name}: {value}\n" for name, value in settings.items())
        + "\n## Machine\n\n"
        + "".join(f"- {name}: {value}\n" for name, value in machine.items()))


def write_plots(folder, lines):
    """Writes a plot of each figure that a line has; returns (file, title) of those. Plots of an earlier run go."""
    written = []
    for file, (name, title) in PLOTS.items():
        text = plot_figure(lines, name, title)
        (folder / file).unlink(missing_ok=True)
        if text:
            (folder / file).write_text(text)
            written.append((file, title))
    return written
