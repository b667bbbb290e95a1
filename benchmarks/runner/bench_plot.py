"""The plot of processor seconds a GB: a bar a row and agent, its spread, and the design's limit. Plain SVG."""

from html import escape

WIDTH, LEFT, RIGHT, TOP = 900, 210, 70, 40
BAR, GAP = 18, 16
COLORS = {"sluice": "#2b6cb0", "straight-line": "#a0aec0"}
OTHER_COLOR = "#dd6b20"


def nice_step(highest):
    """The smallest of 0.1, 0.2, 0.5, 1, 2, 5, ... that parts the axis in at most ten."""
    power = 0.1
    while True:
        for factor in (1, 2, 5):
            if highest / (power * factor) <= 10:
                return power * factor
        power *= 10


def plot_rows(lines):
    """SVG text for the lines that ran a corpus to its end."""
    shown = [line for line in lines if "median" in line and line["kind"] == "to its end"]
    ends = [line["spread"]["cpu_s_per_gb"][1] for line in shown]
    ends += [line["limits"].get("cpu_s_per_gb", 0) for line in shown]
    highest = max(ends, default=1.0) * 1.05
    scale = (WIDTH - LEFT - RIGHT) / highest
    body, y, previous = [], TOP, None
    for line in shown:
        if previous and previous != line["row"]:
            y += GAP
        body += bar(line, y, scale, first=previous != line["row"])
        previous = line["row"]
        y += BAR
    height = y + 40
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14">Processor seconds a GB of input: median, spread, '
        'and the limit (red)</text>',
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


def bar(line, y, scale, first):
    middle = y + BAR / 2
    value = line["median"]["cpu_s_per_gb"]
    low, high = (LEFT + edge * scale for edge in line["spread"]["cpu_s_per_gb"])
    color = COLORS.get(line["agent"], OTHER_COLOR)
    made = [
        f'<rect x="{LEFT}" y="{y + 2}" width="{value * scale:.1f}" height="{BAR - 4}" fill="{color}"/>',
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#1a202c"/>',
        f'<text x="{high + 6:.1f}" y="{middle + 4}">{value:.2f}</text>',
        f'<text x="{LEFT - 8}" y="{middle + 4}" text-anchor="end" fill="#4a5568">'
        f'{escape(line["row"] + ": " if first else "")}{escape(line["agent"])}</text>',
    ]
    if "cpu_s_per_gb" in line["limits"]:
        limit = LEFT + line["limits"]["cpu_s_per_gb"] * scale
        made.append(f'<line x1="{limit:.1f}" y1="{y}" x2="{limit:.1f}" y2="{y + BAR}" stroke="#c53030" '
                    'stroke-width="3"/>')
    return made
