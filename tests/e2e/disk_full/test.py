"""A disk that is full, as the kernel tells it: inputs wait, /ready says why, and when there is room again all arrives once.

Each disk is a small tmpfs in a mount namespace of the test's own, so that it is gone with the test.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error

from sluice_e2e import LogWriter, assert_exactly, run

INSIDE = "SLUICE_OWN_MOUNTS"
NO_SPACE = "No space left on device"


class Writer(LogWriter):
    """Lines that do not compress: the disk is full soon."""

    def line(self, n):
        noise = base64.b64encode(os.urandom(300)).decode()
        return super().line(n)[:-2] + b',"noise":"%s"}\n' % noise.encode()


def enter_own_mounts():
    """Starts this test anew where it may mount."""
    if os.environ.get(INSIDE):
        return
    command = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    may = shutil.which("unshare") and subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if not may or may.returncode:
        print("skip: this machine lets nobody mount a tmpfs, not even in a namespace of his own")
        sys.exit(77)
    os.execvpe(command[0], [*command, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def disk(folder, options):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    return folder


def resize(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def says_why(agent):
    return NO_SPACE in agent.page("/ready").decode()


def is_ready(agent):
    try:
        agent.get("/ready")
        return True
    except urllib.error.HTTPError as err:
        assert err.code == 503, f"/ready answers {err.code}"
        return False


def waits(sc, agent, log):
    """The agent says why it waits, reads no more than what it may hold in memory, and lives."""
    sc.wait(lambda: says_why(agent), "/ready says why")
    log.write(20_000)
    received = sc.wait(lambda: received_if_still(agent), "the inputs wait")
    assert received < log.count, f"all {log.count} records were read while the disk was full"
    assert says_why(agent) and not is_ready(agent)


def received_if_still(agent):
    """How many records were received, if that number stays; else 0."""
    before = agent.ledger()["pipelines"][0]["received"]
    time.sleep(1)
    after = agent.ledger()["pipelines"][0]["received"]
    return after if before == after else 0


def by_the_journal_itself(sc):
    """The index is away, the journal fills its disk; the index comes back, and the segments it has taken go."""
    log, index = sc.log("app.log", kind=Writer), sc.receiver({"status": 503, "count": "forever"})
    disk(sc.path("agent", "data"), "size=8m")
    agent = sc.agent(sc.main_job(index, log.path, buffer={"segment_size": "1MiB", "max_size": "1GiB"}))
    log.write(30_000)
    waits(sc, agent, log)
    index.script()
    sc.delivered_exactly(agent, index, log, seconds=120)
    sc.wait(lambda: is_ready(agent), "the agent is ready again")


def by_somebody_else(sc):
    """Another program takes all room, while the index is away and the log is written and rotated; then it gives it back."""
    log, index = sc.log("app.log", kind=Writer), sc.receiver()
    data = disk(sc.path("agent", "data"), "size=16m")
    agent = sc.agent(sc.main_job(index, log.path + "*", buffer={"segment_size": "1MiB", "max_size": "1GiB"}))
    log.write(2000)
    sc.arrived(index, 2000)
    index.script({"status": 503, "count": "forever"})
    fill(data)
    log.write(20_000)
    log.rotate_by_rename()
    waits(sc, agent, log)
    log.rotate_by_rename()
    log.write(1000)
    os.unlink(os.path.join(data, "ballast"))
    index.script()
    sc.delivered_exactly(agent, index, log, seconds=120)


def before_a_new_file_is_met(sc):
    """A file's id must be on the disk before its first record leaves: the input waits, and says so itself."""
    log, index = sc.log("app.log"), sc.receiver()
    data = disk(sc.path("agent", "data"), "size=16m")
    agent = sc.agent(sc.main_job(index, log.path + "*"))
    log.write(100)
    sc.arrived(index, 100)
    fill(data)
    log.rotate_by_rename()
    log.write(100)
    sc.wait(lambda: not is_ready(agent), "/ready says no")
    waiting = [part for part in json.loads(agent.page("/ready"))["components"] if not part["ok"]]
    assert [part["kind"] for part in waiting] == ["input"] and "disk is full" in waiting[0]["state"], waiting
    os.unlink(os.path.join(data, "ballast"))
    sc.delivered_exactly(agent, index, log)
    sc.wait(lambda: is_ready(agent), "the agent is ready again")


def fill(folder):
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return  # no byte more


def killed_while_it_is_full(sc):
    log, index = sc.log("app.log", kind=Writer), sc.receiver({"status": 503, "count": "forever"})
    data = disk(sc.path("agent", "data"), "size=8m")
    agent = sc.agent(sc.main_job(index, log.path, buffer={"segment_size": "1MiB", "max_size": "1GiB"}))
    log.write(30_000)
    waits(sc, agent, log)
    agent.kill()
    agent.start()
    waits(sc, agent, log)
    agent.kill()
    resize(data, "size=64m")
    agent.start()
    index.script()
    sc.delivered_exactly(agent, index, log, seconds=120)


def when_it_is_started_for_the_first_time(sc):
    """Not even the files that every start needs can be made: the agent lives, waits and says why."""
    log, index, folder = sc.log("app.log"), sc.receiver(), sc.path("out")
    data = disk(sc.path("agent", "data"), "size=2m")
    fill(data)
    log.write(1000)
    config = sc.main_job(index, log.path)
    config["pipelines"]["files"] = {**config["pipelines"]["main"], "outputs": [{"file": {"path": f"{folder}/out.ndjson"}}]}
    agent = sc.agent(config)
    waiting = [part for part in json.loads(agent.page("/ready"))["components"] if "disk is full" in part["state"]]
    assert {(part["kind"], part["pipeline"]) for part in waiting} == {("input", "main"), ("journal", "files")}, waiting
    os.unlink(os.path.join(data, "ballast"))
    sc.delivered_exactly(agent, index, log)
    sc.wait(lambda: is_ready(agent), "the agent is ready")
    with open(f"{folder}/out.ndjson", encoding="utf-8") as source:
        assert_exactly(map(json.loads, source), log.count)


def of_one_pipeline_of_two(sc):
    """The journal of one can't even be begun; the other one does not notice."""
    log, index, other = sc.log("app.log"), sc.receiver(), sc.receiver()
    journals = disk(sc.path("agent", "data", "journal"), "size=1m,nr_inodes=1")
    config = sc.main_job(index, log.path)
    config["pipelines"]["light"] = {**sc.main_job(other, log.path)["pipelines"]["main"], "buffer": {"type": "memory"}}
    agent = sc.agent(config)
    log.write(1000)
    sc.arrived(other, 1000)
    assert says_why(agent) and not is_ready(agent) and index.count() == 0
    agent.stop()
    agent.start()
    assert says_why(agent)
    resize(journals, "nr_inodes=100")
    sc.delivered_exactly(agent, index, log)
    sc.delivered_exactly(agent, other, log)
    sc.wait(lambda: is_ready(agent), "the agent is ready")


def without_inodes(sc):
    """Bytes are free, names are not: a segment or file can't be begun."""
    log, index = sc.log("app.log", kind=Writer), sc.receiver({"status": 503, "count": "forever"})
    data = disk(sc.path("agent", "data"), "size=64m,nr_inodes=16")
    agent = sc.agent(sc.main_job(index, log.path, buffer={"segment_size": "64KiB", "max_size": "1GiB"}))
    log.write(30_000)
    waits(sc, agent, log)
    resize(data, "nr_inodes=1000")
    index.script()
    sc.delivered_exactly(agent, index, log, seconds=120)


def of_the_file_output(sc):
    """Requests wait for the file; none of its lines is half, and none stands there twice."""
    log = sc.log("app.log", kind=Writer)
    folder = disk(sc.path("out"), "size=2m")
    pipeline = {
        "inputs": [{"tail": {"path": [log.path], "read_from": "start"}}],
        "filters": [{"parse": "json"}],
        "outputs": [{"file": {"path": f"{folder}/out.ndjson", "rotate": {"size": "600KiB"}}}],
    }
    agent = sc.agent({"service": sc.service(), "pipelines": {"main": pipeline}})
    log.write(20_000)
    sc.wait(lambda: says_why(agent), "/ready says why")
    assert agent.ledger()["pipelines"][0]["outputs"][0]["delivered"] < log.count
    resize(folder, "size=64m")
    sc.settled(agent)
    docs = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as source:
            docs += map(json.loads, source)
    assert_exactly(docs, log.count)


enter_own_mounts()
run(by_the_journal_itself, by_somebody_else, before_a_new_file_is_met, killed_while_it_is_full, when_it_is_started_for_the_first_time,
    of_one_pipeline_of_two, without_inodes, of_the_file_output)  # fmt: skip
