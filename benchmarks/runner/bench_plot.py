"""Plots: for one figure a bar a row and agent, its spread, and the design's limit. Plain SVG."""

from html import escape

WIDTH, LEFT, RIGHT, TOP = 900, 210, 70, 40
BAR, GAP = 18, 16
COLORS = {"sluice": "#2b6cb0", "rsyslog": "#dd6b20", "syslog-ng": "#38a169", "straight-line": "#a0aec0"}

# file -> the figure it shows, and what that is
PLOTS = {
    "rows.svg": ("cpu_s_per_gb", "Processor seconds a GB of input (less is better)"),
    "throughput.svg": ("mb_per_s", "MB/s on one processor (more is better)"),
    "memory.svg": ("peak_mb", "Peak memory in MB (less is better)"),
    "latency.svg": ("p99_ms", "ms from write to receiver, 99 of 100 records, at a steady rate (less is better)"),
    "share.svg": ("cpu_percent", "% of a core, at a steady rate or idle (less is better)"),
}


def nice_step(highest):
    """The smallest of 0.1, 0.2, 0.5, 1, 2, 5, ... that parts the axis in at most ten."""
    power = 0.1
    while True:
        for factor in (1, 2, 5):
            if highest / (power * factor) <= 10:
                return power * factor
        power *= 10


def plot_figure(lines, name, title):
    """SVG text for the lines that have the figure `name`; None when there is none."""
    shown = [line for line in lines if name in line.get("median", {})]
    if not shown:
        return None
    ends = [line["spread"][name][1] for line in shown] + [line["limits"].get(name, 0) for line in shown]
    highest = (max(ends) or 1.0) * 1.05
    scale = (WIDTH - LEFT - RIGHT) / highest
    body, y, previous = [], TOP, None
    for line in shown:
        if previous and previous != line["row"]:
            y += GAP
        body += bar(line, name, y, scale, first=previous != line["row"])
        previous = line["row"]
        y += BAR
    height = y + 40
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}: median, spread, limit (red)</text>',
        *axis(highest, scale, y),
        *body,
        "</svg>", ""])


def axis(highest, scale, bottom):
    step = nice_step(highest)
    made = []
    for i in range(int(highest / step) + 1):
        x = LEFT + i * step * scale
        made.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="#e2e8f0"/>')
        made.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#4a5568">{i * step:g}</text>')
    return made


def bar(line, name, y, scale, first):
    middle = y + BAR / 2
    value = line["median"][name]
    low, high = (LEFT + edge * scale for edge in line["spread"][name])
    made = [
        f'<rect x="{LEFT}" y="{y + 2}" width="{value * scale:.1f}" height="{BAR - 4}" fill="{COLORS[line["agent"]]}"/>',
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#1a202c"/>',
        f'<text x="{high + 6:.1f}" y="{middle + 4}">{value:{".0f" if value >= 100 else ".2f"}}</text>',
        f'<text x="{LEFT - 8}" y="{middle + 4}" text-anchor="end" fill="#4a5568">'
        f'{escape(line["row"] + ": " if first else "")}{escape(line["agent"])}</text>',
    ]
    if name in line["limits"]:
        limit = LEFT + line["limits"][name] * scale
        made.append(f'<line x1="{limit:.1f}" y1="{y}" x2="{limit:.1f}" y2="{y + BAR}" stroke="#c53030" '
                    'stroke-width="3"/>')
    return made
