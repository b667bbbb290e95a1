"""An hour at 10 MB/s with a fault every few seconds: everything arrives once, and memory and descriptors stay flat.

In the first third the agent is also killed and restarted; from then on one process lives through all the other
faults, and what it holds is compared between the beginning and the end of its life. Each second is a line of soak.csv,
drawn in soak.svg, in build/soak or $SLUICE_SOAK_RESULTS; the drawing of a whole hour is kept in benchmarks/results.
$SLUICE_SOAK_MINUTES is how long, 60 unless given.
"""

import os
import random
import shutil
import statistics
import time

from sluice_e2e import ROOT, run
from sluice_e2e.samples import Sampler

MINUTES = float(os.environ.get("SLUICE_SOAK_MINUTES", "60"))
RESULTS = os.environ.get("SLUICE_SOAK_RESULTS", os.path.join(ROOT, "build", "soak"))
KEPT = os.path.join(ROOT, "benchmarks", "results", "soak.svg")
RATE = 10_000  # records a second of 1 kB
PAD = {"pad": "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789 ", k=772))}
CALM = (4, 12)  # seconds between two faults
ROTATE_BYTES = 64_000_000
MORE_MEMORY = 4096  # kB that the end may have more than the beginning
MORE_DESCRIPTORS = 8  # files that were rotated away are open for a while
MOST_MEMORY = 64 * 1024  # kB, at any time

# What the receiver does wrong, and for how many seconds.
RECEIVER = {
    "away": (({"on": "CONNECT", "how": "reset", "count": "forever"}, {"how": "reset", "count": "forever"}), (3, 30)),
    "busy": (({"status": 429, "headers": {"Retry-After": "1"}, "count": "forever"},), (2, 10)),
    "failing": (({"status": 503, "count": "forever"},), (2, 10)),
    "refusing some": (({"items": [{"status": 429, "every": 7, "times": 1}], "count": 20},), (2, 5)),
    "losing answers": (({"how": "close", "store": True, "count": 10}, {"cut": 40, "how": "reset", "store": True, "count": 10}), (2, 5)),
    "hanging": (({"how": "hang", "store": True, "count": 4},), (6, 8)),
    "answering nonsense": (({"body_kind": "garbage", "store": False, "count": 5}, {"body_kind": "endless", "count": 2}), (3, 6)),
    "slow": (({"read_rate": 300_000, "count": 8}, {"delay": 1, "count": 8}), (4, 8)),
}


class Soak:
    def __init__(self, sc):
        self.sc = sc
        self.dice = random.Random(1848)
        self.log = sc.log("app.log", extra=PAD)
        self.index = sc.receiver(tally=True)
        output = {"timeout": "5s", "retry": {"initial": "100ms", "max": "2s"}}
        buffer = {"max_size": "32MiB", "segment_size": "4MiB", "fsync": "1s", "when_full": "block"}  # is full after 15 s of outage
        self.agent = sc.agent(sc.main_job(self.index, self.log.path + "*", output=output, buffer=buffer))
        self.samples = Sampler(self.agent, self.log, self.index)

    def calm(self, seconds):
        """Samples, and rotates when it is time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if os.path.getsize(self.log.path) > ROTATE_BYTES:
                self.log.rotate_by_rename()
            self.samples.take()

    def kill(self):
        self.agent.kill()
        self.calm(self.dice.uniform(0, 3))
        self.agent.start()

    def restart(self):
        self.agent.stop()
        self.agent.start()

    def fault(self, may_end):
        kind = self.dice.choice(["kill", "restart", "rotate", *RECEIVER] if may_end else ["rotate", *RECEIVER])
        self.samples.event = kind
        if kind == "rotate":
            for _ in range(3):
                self.log.rotate_by_rename()
        elif kind in RECEIVER:
            steps, seconds = RECEIVER[kind]
            self.index.script(*steps)
            self.calm(self.dice.uniform(*seconds))
            self.index.script()
        else:
            getattr(self, kind)()
        self.samples.event = ""

    def go(self, minutes):
        begun = time.monotonic()
        with self.log.background(rate=RATE):
            while (part := (time.monotonic() - begun) / (60 * minutes)) < 1:
                self.calm(self.dice.uniform(*CALM))
                self.fault(may_end=part < 1 / 3)
        self.samples.event = "draining"
        self.sc.wait(lambda: self.samples.take() or self.index.count() >= self.log.count, "all records are in the index", 300)


def assert_arrived_once(soak):
    ledger = soak.sc.settled(soak.agent)
    stats = soak.index.stats()
    written = soak.log.count
    assert (stats["created"], stats["highest"], stats["doubled"]) == (written, written - 1, 0), f"{written} written, {stats}"
    output = ledger["pipelines"][0]["outputs"][0]
    assert not output["dead_lettered"] and not output["dropped"], ledger


def assert_flat(samples):
    """Of the last process's life, calm seconds of the second quarter against those of the last."""
    life = [one for one in samples.rows if one["pid"] == samples.rows[-1]["pid"]]
    begin, end = (life[len(life) * a // 4 : len(life) * (a + 1) // 4] for a in (1, 3))
    for what, more in (("rss_kb", MORE_MEMORY), ("descriptors", MORE_DESCRIPTORS)):
        before, after = (statistics.median(one[what] for one in part) for part in (begin, end))
        print(f"{what}: {before:.0f} in the second quarter of {len(life)} s, {after:.0f} in the last, at most {max(one[what] for one in life)}")
        assert after <= before + more, f"{what} grew from {before} to {after}"
    assert max(one["rss_kb"] for one in samples.rows) <= MOST_MEMORY


def an_hour_with_a_fault_every_few_seconds(sc):
    soak = Soak(sc)
    try:
        soak.go(MINUTES)
        assert_arrived_once(soak)
    finally:
        soak.samples.write(RESULTS)
        if MINUTES >= 60:
            shutil.copyfile(os.path.join(RESULTS, "soak.svg"), KEPT)
    print(f"{soak.log.count} records, {soak.log.bytes / 1e9:.2f} GB, {soak.samples.faults} faults; resent and known: {soak.index.stats()['conflicts']}")
    assert_flat(soak.samples)


run(an_hour_with_a_fault_every_few_seconds)
