"""The agent ends at every named durable step, as by kill -9: nothing is lost, nothing doubled, the ledger balances.

For each fault point of sluice/fault.h, and for its first, second and a later pass: an agent is started that ends itself
there, while a log is written and rotated, the journal rolls and deletes segments, and dead letters are written. It is
started again without the fault, delivers, and is asked. All passes of a point share one data_dir: each starts from what
the one before has left.
"""

import base64
import json
import os
import re
import threading

from sluice_e2e import ROOT, LogWriter, assert_exactly, find_fault_binary, run

RATE = 1500
SEVENTH = '"n":[0-9]*7,'
LATER = 25
# Steps that come about once a second or once a file.
LATER_OF = {"file.named": 6, "checkpoint.saved": 5, "output.rotated": 6}
# Only what a kill has left is mended: the journal's last segment, then that of the dead letters.
PASSES_OF = {"segment.mended": (1, 2)}
POINTS = re.findall(r'POINT\([A-Z_]+, "([a-z_.]+)"\)', open(f"{ROOT}/agent/include/sluice/fault.h", encoding="utf-8").read())


class Writer(LogWriter):
    """Lines that do not compress, so that segments are many; and lines that are no JSON."""

    noises = 0

    def line(self, n):
        noise = base64.b64encode(os.urandom(150)).decode()
        return super().line(n)[:-2] + b',"noise":"%s"}\n' % noise.encode()

    def write_noise(self):
        self.write_raw(b"noise %d is no JSON\n" % self.noises)
        self.noises += 1

    def work(self, done):
        """Writes and rotates until done() holds."""
        turn = 0
        while not done.wait(0.02):
            self.write(RATE // 50)
            turn += 1
            if turn % 8 == 0:
                self.write_noise()
            if turn % 15 == 0:
                self.rotate_by_rename(keep=300)


def into_the_index(sc, log):
    """Every record with a 7 at its end is refused for ever, every line that is no JSON becomes a letter at once."""
    index = sc.receiver({"items": [{"status": 400, "match": SEVENTH, "reason": "not with a seven"}], "count": "forever"})
    filters = [{"parse": {"format": "json", "on_error": "dead_letter", "time": {"field": "timestamp"}}}, {"redact": {}}]
    buffer = {"max_size": "64MiB", "segment_size": "64KiB", "fsync": "50ms", "when_full": "block"}
    config = sc.main_job(index, log.path + "*", filters=filters, buffer=buffer, output={"request": {"max_records": 100}})
    return config, index.docs, lambda n: n % 10 != 7


def into_files(sc, log):
    folder = sc.path("out")
    pipeline = {
        "inputs": [{"tail": {"path": [log.path + "*"], "read_from": "start"}}],
        "filters": [{"parse": {"format": "json", "on_error": "dead_letter"}}],
        "outputs": [{"file": {"path": f"{folder}/out.ndjson", "rotate": {"size": "64KiB"}}}],
    }
    config = {"service": sc.service(), "pipelines": {"main": pipeline}}

    def docs():
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                yield from map(json.loads, source)

    return config, docs, lambda n: True


def check(sc, agent, log, docs, is_delivered):
    ledger = sc.settled(agent, seconds=60)
    assert_exactly(docs(), [n for n in log.numbers if is_delivered(n)])
    dropped = sum(sum(part["dropped"].values()) for part in ledger["pipelines"])
    assert dropped == 0, f"the agent dropped records: {ledger}"
    check_letters(agent, log, is_delivered)
    agent.command("journal", "verify", "--data-dir", agent.data_dir)


def check_letters(agent, log, is_delivered):
    """A letter may come twice where its record was sent again; none is missing."""
    records = [json.loads(line)["record"] for line in agent.command("deadletter", "show", "--data-dir", agent.data_dir).splitlines()]
    expected = {n for n in log.numbers if not is_delivered(n)} | {f"noise {k} is no JSON" for k in range(log.noises)}
    found = {record.get("n", record.get("message")) if isinstance(record, dict) else record for record in records}
    assert found == expected, f"{len(expected - found)} letters are lost, {len(found - expected)} should not be there"


def end_at(agent, log, point, number):
    """Starts an agent that ends there, and writes until it has."""
    ended = threading.Event()
    writer = threading.Thread(target=log.work, args=(ended,))
    agent.start(wait=False, binary=find_fault_binary(), environment={"SLUICE_FAULT": f"{point}:{number}"})
    writer.start()
    try:
        agent.await_kill(30)
    finally:
        ended.set()
        writer.join()


def at(point):
    def scenario(sc):
        log = sc.log("app.log", kind=Writer)
        config, docs, is_delivered = (into_files if point.startswith("output.") else into_the_index)(sc, log)
        agent = sc.agent(config, start=False)
        for number in PASSES_OF.get(point, (1, 2, LATER_OF.get(point, LATER))):
            if point == "segment.mended":
                end_at(agent, log, "dead_letter.written", 3)
            end_at(agent, log, point, number)
            agent.start()
            check(sc, agent, log, docs, is_delivered)
            agent.stop()

    scenario.__name__ = point.replace(".", "_")
    return scenario


def verify_beside_the_running_agent(sc):
    """What is being written, rolled and deleted just then is not taken for damage."""
    log = sc.log("app.log", kind=Writer)
    config, _, _ = into_the_index(sc, log)
    agent, ended = sc.agent(config), threading.Event()
    writer = threading.Thread(target=log.work, args=(ended,))
    writer.start()
    try:
        sc.wait(lambda: agent.metric("sluice_journal_segments") > 0, "there is a journal")
        for _ in range(100):
            agent.command("journal", "verify", "--data-dir", agent.data_dir)
    finally:
        ended.set()
        writer.join()


assert len(POINTS) > 10, "the table of fault points is not understood"
run(*map(at, POINTS), verify_beside_the_running_agent, at_once=4)
