"""What an agent holds, second by second, beside what is done to it: as rows, as CSV and as a drawing."""

import csv
import itertools
import os
import time
from html import escape

FIELDS = ("second", "event", "pid", "rss_kb", "descriptors", "threads", "cpu_percent", "written", "arrived", "behind")
TICKS = os.sysconf("SC_CLK_TCK")
WIDTH, LEFT, PANE, GAP = 1000, 70, 150, 34
PANES = (("rss_kb", "resident memory, kB"), ("descriptors", "open descriptors"), ("cpu_percent", "processor, % of a core"),
         ("behind", "records written and not arrived"))  # fmt: skip


def read_status(pid):
    """Resident kB, threads and processor ticks of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as source:
        fields = dict(line.split(":", 1) for line in source)
    with open(f"/proc/{pid}/stat", encoding="ascii") as source:
        stat = source.read().rsplit(")", 1)[1].split()
    return int(fields["VmRSS"].split()[0]), int(fields["Threads"]), int(stat[11]) + int(stat[12])


class Sampler:
    """One row a second. `event` is what is being done to the agent; "" when nothing is."""

    def __init__(self, agent, log, index):
        self.agent, self.log, self.index = agent, log, index
        self.rows = []
        self.faults = 0
        self._event = ""
        self._begun = self._due = time.monotonic()
        self._last = (None, 0, 0)  # pid, ticks, when

    @property
    def event(self):
        return self._event

    @event.setter
    def event(self, name):
        self.faults += bool(name)
        self._event = name

    def take(self):
        """Waits for the next whole second and notes it. Nothing is noted while no agent runs."""
        time.sleep(max(0, self._due - time.monotonic()))
        self._due = max(self._due, time.monotonic() - 1) + 1
        if not self.agent.process:
            return
        self.agent.check_alive()
        pid = self.agent.process.pid
        rss, threads, ticks = read_status(pid)
        now = time.monotonic()
        same = self._last[0] == pid
        percent = 100 * (ticks - self._last[1]) / TICKS / (now - self._last[2]) if same else 0
        self._last = (pid, ticks, now)
        written, arrived = self.log.count, self.index.count()
        row = (round(now - self._begun), self._event, pid, rss, len(os.listdir(f"/proc/{pid}/fd")), threads, round(percent, 1),
               written, arrived, max(0, written - arrived))  # fmt: skip
        self.rows.append(dict(zip(FIELDS, row, strict=True)))

    # -- results -------------------------------------------------------------------------------

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "soak.csv"), "w", encoding="ascii", newline="") as out:
            writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        with open(os.path.join(folder, "soak.svg"), "w", encoding="utf-8") as out:
            out.write(self.draw())

    def draw(self):
        """A pane a quantity over the same seconds; grey where something was being done to the agent."""
        height = len(PANES) * (PANE + GAP) + 20
        last = max(row["second"] for row in self.rows) or 1
        made = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
                f'<rect width="{WIDTH}" height="{height}" fill="white"/>']  # fmt: skip
        for number, (name, title) in enumerate(PANES):
            made += self._draw_pane(name, title, GAP + number * (PANE + GAP), (WIDTH - LEFT - 10) / last)
        return "\n".join([*made, f'<text x="{WIDTH - 10}" y="{height - 6}" text-anchor="end">{last} s</text>', "</svg>", ""])

    def _draw_pane(self, name, title, top, scale):
        highest = max(row[name] for row in self.rows) * 1.05 or 1
        made = [f'<text x="{LEFT}" y="{top - 6}">{escape(title)}</text>',
                f'<text x="{LEFT - 6}" y="{top + 12}" text-anchor="end">{highest:.0f}</text>',
                f'<text x="{LEFT - 6}" y="{top + PANE}" text-anchor="end">0</text>']  # fmt: skip
        for event, rows in itertools.groupby(self.rows, lambda row: row["event"]):
            seconds = [row["second"] for row in rows]
            width = max((seconds[-1] + 1 - seconds[0]) * scale, 0.5)
            if event:
                made.append(f'<rect x="{LEFT + seconds[0] * scale:.1f}" y="{top}" width="{width:.2f}" height="{PANE}" fill="#e2e8f0"/>')
        points = " ".join(f"{LEFT + row['second'] * scale:.1f},{top + PANE - row[name] / highest * PANE:.1f}" for row in self.rows)
        made.append(f'<polyline points="{points}" fill="none" stroke="#2b6cb0"/>')
        made.append(f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 10}" height="{PANE}" fill="none" stroke="#a0aec0"/>')
        return made
