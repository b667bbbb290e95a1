"""A journal that was damaged while the agent was down: it starts, delivers all else, counts exactly what is gone, and the ledger balances.

One byte of each kind of place in a segment is flipped, and the segment is cut in each kind of place, in one that was
closed in order and in one that a kill has left. How many records a frame held is told by those before and behind it: at
either end of the journal, where there are none, the frames are counted, in the log.
"""

import base64
import glob
import os
import re
import shutil
import struct
import time

from sluice_e2e import LogWriter, run
from sluice_e2e.ledger import reasons, total

FRAMES, IN_FRAME = 24, 100
RECORDS = FRAMES * IN_FRAME
AWAY = {"status": 503, "count": "forever"}
HEADER, FRAME_HEADER, SEAL = 64, 80, 80  # bytes; agent/journal/FORMAT.md


class Writer(LogWriter):
    """Lines that do not compress: the journal has several segments."""

    def line(self, n):
        noise = base64.b64encode(os.urandom(150)).decode()
        return super().line(n)[:-2] + b',"noise":"%s"}\n' % noise.encode()


class Journal:
    """A full journal, kept aside to be damaged again and again."""

    def __init__(self, sc, end):
        self.sc = sc
        self.log, self.index = sc.log("app.log", kind=Writer), sc.receiver(AWAY)
        buffer = {"segment_size": "64KiB", "max_size": "64MiB", "fsync": "batch"}
        self.agent = sc.agent(sc.main_job(self.index, self.log.path, buffer=buffer, service={"shutdown_timeout": "100ms"}))
        for _ in range(FRAMES):
            self.log.write(IN_FRAME)
            sc.wait(lambda: self.agent.ledger()["pipelines"][0]["journaled"] == self.log.count, "all records are in the journal")
        sc.wait(lambda: checkpoint(self.agent) == self.log.bytes, "no record need be read again")
        time.sleep(1.5)  # the journal saves its numbers each second
        end(self.agent)
        shutil.copytree(self.agent.data_dir, sc.path("kept"))

    def restore(self):
        """Returns the paths of the segments."""
        shutil.rmtree(self.agent.data_dir)
        shutil.copytree(self.sc.path("kept"), self.agent.data_dir)
        self.index = self.sc.receiver()
        self.agent.config["pipelines"]["main"]["outputs"][0]["elasticsearch"]["url"] = [self.index.url]
        self.agent.write_config()
        return sorted(glob.glob(os.path.join(self.agent.data_dir, "journal", "main", "*.seg")))


def checkpoint(agent):
    """Bytes of the one log that need not be read again."""
    said = agent.command("state", "--data-dir", agent.data_dir).decode().split("  ")
    return max((int(value.split()[6]) for value in said if value.startswith("1 ")), default=0)


def frames(path):
    """Where the frames of a segment begin, and where the last one ends."""
    with open(path, "rb") as source:
        data = source.read()
    at, starts = HEADER, []
    while data[at : at + 4] == b"SLJF":
        starts.append(at)
        at += FRAME_HEADER + struct.unpack_from("<I", data, at + 8)[0]
    return [*starts, at]


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def places(path):
    """A byte of each kind of place of a segment, by name."""
    starts = frames(path)
    one, last, end = starts[1], starts[-2], starts[-1]
    found = {"the magic of the segment": 0, "its id": 9, "its checksum": 57}
    for name, frame in (("a frame", one), ("the last frame", last)):
        for part, off in (("magic", 0), ("version", 4), ("codec", 5), ("length", 8), ("count", 16), ("sequence", 24),
                          ("checksum", 73), ("payload", FRAME_HEADER + 100)):  # fmt: skip
            found[f"the {part} of {name}"] = frame + off
    if os.path.getsize(path) > end:
        found |= {"the magic of the seal": end, "its offset": end + 65, "its checksum ": end + 73}
    return found


def cuts(path):
    starts = frames(path)
    return {"in a header": starts[1] + 40, "in a payload": starts[1] + FRAME_HEADER + 100, "between two frames": starts[1],
            "in the segment's header": HEADER // 2, "to nothing": 0}  # fmt: skip


def told(log):
    """Numbers of what was mended, as the log says."""
    mended = re.search(r"(\d+) bytes of a torn tail cut, (\d+) damaged frames .*, (\d+) frames missing", log)
    return sum(map(int, mended.groups())) if mended else 0


def expect_counted(journal, what, may_be_whole, at_an_end):
    """Starts the agent: what is not delivered is counted, nothing else."""
    sc, agent = journal.sc, journal.agent
    verified = agent.command("journal", "verify", "--data-dir", agent.data_dir, check=False)
    said = len(agent.log_text())
    agent.start()
    ledger = sc.settled(agent)
    numbers = [doc["n"] for doc in journal.index.docs()]
    missing = RECORDS - len(set(numbers))
    assert len(numbers) == len(set(numbers)), f"{what}: records were doubled"
    counted = total(ledger, "dropped")
    if counted != missing:
        assert at_an_end, f"{what}: {missing} records are missing, {counted} are counted: {reasons(ledger)}"
        assert counted < missing and told(agent.log_text()[said:]), f"{what}: {missing} records are lost in silence"
    assert missing or may_be_whole, f"{what}: nothing is missing: the test does not damage what it means to"
    named = os.path.join("journal", "main").encode() in verified.stdout + verified.stderr
    assert verified.returncode == 1 and named, f"{what}: verify says {verified.stdout + verified.stderr}"
    agent.stop()
    return missing


def damage_all(sc, end, which, at_an_end):
    """at_an_end(what): nothing stands before that place, or nothing behind it."""
    journal = Journal(sc, end)
    segment = journal.restore()[which]
    flips, shorter = places(segment), cuts(segment)
    for what, at in flips.items():
        flip(journal.restore()[which], at)
        lost = expect_counted(journal, f"flipped: {what}", True, at_an_end(what))
        print(f"flipped: {what}: {lost} records")
    for what, size in shorter.items():
        os.truncate(journal.restore()[which], size)
        lost = expect_counted(journal, f"cut {what}", False, at_an_end(what))
        print(f"cut {what}: {lost} records")


def in_the_middle(sc):
    damage_all(sc, lambda agent: agent.stop(), 1, lambda what: False)


def in_the_first(sc):
    damage_all(sc, lambda agent: agent.stop(), 0, lambda what: what in ("in the segment's header", "to nothing"))


def in_the_last_that_a_kill_has_left(sc):
    damage_all(sc, lambda agent: agent.kill(), -1, lambda what: what.endswith("the last frame") or what.startswith(("in ", "to ", "between")))


run(in_the_middle, in_the_first, in_the_last_that_a_kill_has_left, at_once=3)
