"""The configuration changed at work: SIGHUP and POST /api/v1/reload swap what differs, and lose nothing."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from sluice_e2e import run
from sluice_e2e.agent import find_binary
from sluice_e2e.writer import LogWriter

PARSE = {"parse": {"format": "json", "time": {"field": "timestamp"}}}


class NoisyWriter(LogWriter):
    """Records that do not compress."""

    def line(self, n):
        self._extra = {"noise": os.urandom(300).hex()}
        return super().line(n)


def ask(agent):
    """Status and bytes of POST /api/v1/reload."""
    request = urllib.request.Request(f"http://127.0.0.1:{agent.http_port}/api/v1/reload", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        return err.code, err.read()


def post(agent):
    """The same, its answer as JSON."""
    status, answer = ask(agent)
    return status, json.loads(answer)


def last(agent):
    return json.loads(agent.get("/api/v1/reload"))


def reload(sc, agent, expect="done"):
    """Writes the agent's configuration, reloads, and waits for its end."""
    agent.write_config()
    status, said = post(agent)
    assert status in (200, 202), (status, said)
    sc.wait(lambda: last(agent)["result"] != "under_way", "the reload comes to its end")
    said = last(agent)
    assert said["result"] == expect, said
    return said


def pipeline_of(agent, name):
    return next(p for p in agent.ledger()["pipelines"] if p["name"] == name)


def by_signal_again_and_again_while_the_log_is_written(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    filters = agent.config["pipelines"]["main"]["filters"]
    with log.background(rate=5000):
        for turn in range(8):
            filters[2:] = [{"edit": {"set": {"turn": turn}}}]
            agent.write_config()
            before = agent.metric("sluice_reloads_total")
            agent.process.send_signal(signal.SIGHUP)
            sc.wait(lambda: agent.metric("sluice_reloads_total") > before, "the reload comes to its end")
            time.sleep(0.2)
    assert last(agent)["result"] == "done", last(agent)
    sc.delivered_exactly(agent, index, log)
    turns = {doc.get("turn") for doc in index.docs()}
    assert {0, 7} <= turns, f"the filters of the first and the last turn were at work: {turns}"


def an_input_that_changes_goes_on_where_it_was(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    tail = agent.config["pipelines"]["main"]["inputs"][0]["tail"]
    with log.background(rate=5000):
        for turn in range(6):
            time.sleep(0.3)
            tail["max_line"] = f"{turn + 1}MiB"
            if turn == 3:
                log.rotate_by_rename()
            assert reload(sc, agent)["changed"] == ["main"]
    sc.delivered_exactly(agent, index, log)


def an_input_shared_with_a_buffer_in_memory(sc):
    """What was read for the one in memory and not delivered is read again, and the other must not get it twice."""
    log, first, second = sc.log("app.log"), sc.receiver(), sc.receiver()
    config = sc.main_job(first, log.path)
    config["inputs"] = {"apps": config["pipelines"]["main"]["inputs"][0]}
    config["pipelines"]["main"]["inputs"] = ["apps"]
    other = sc.main_job(second, log.path, buffer={"type": "memory"})["pipelines"]["main"]
    other["inputs"] = ["apps"]
    config["pipelines"]["other"] = other
    agent = sc.agent(config)
    with log.background(rate=3000):
        for turn in range(4):
            time.sleep(0.3)
            other["filters"][2:] = [{"edit": {"set": {"turn": turn}}}]
            reload(sc, agent)
    sc.arrived(first, log.count)
    sc.arrived(second, log.count)
    sc.settled(agent)
    for receiver in (first, second):
        numbers = sorted({doc["n"] for doc in receiver.docs()})
        assert numbers == list(log.numbers), f"{len(numbers)} of {log.count} records"


def a_kill_in_the_middle_loses_nothing(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    filters = agent.config["pipelines"]["main"]["filters"]
    with log.background(rate=5000):
        for turn in range(6):
            time.sleep(0.3)
            filters[2:] = [{"edit": {"set": {"turn": turn}}}]
            agent.write_config()
            agent.process.send_signal(signal.SIGHUP)
            time.sleep(0.004 * turn)
            agent.kill()
            agent.start()
    sc.delivered_exactly(agent, index, log)


def only_what_differs_is_changed(sc):
    first, second, receiver = sc.log("first.log"), sc.log("second.log"), sc.receiver()
    config = sc.main_job(receiver, first.path)
    config["pipelines"]["other"] = sc.main_job(receiver, second.path)["pipelines"]["main"]
    agent = sc.agent(config)
    first.write(100)
    second.write(200)
    sc.arrived(receiver, 300)
    status, said = post(agent)
    assert (status, said["result"], said["kept"]) == (200, "unchanged", ["main", "other"]), said
    config["pipelines"]["other"]["filters"] = [PARSE, {"edit": {"set": {"seen": "twice"}}}]
    said = reload(sc, agent)
    assert (said["changed"], said["kept"]) == (["other"], ["main"]), said
    assert pipeline_of(agent, "main")["received"] == 100, "a pipeline that has not changed counts on"
    second.write(10)
    sc.arrived(receiver, 310)
    assert sum(doc.get("seen") == "twice" for doc in receiver.docs()) == 10
    sc.settled(agent)


def pipelines_come_and_go(sc):
    shared, own, receiver = sc.log("shared.log"), sc.log("own.log", first=100000), sc.receiver()
    config = sc.main_job(receiver, shared.path)
    tail = config["pipelines"]["main"]["inputs"][0]
    config["inputs"] = {"apps": tail}
    config["pipelines"]["main"]["inputs"] = ["apps"]
    agent = sc.agent(config)
    shared.write(50)
    sc.arrived(receiver, 50)

    other = sc.receiver()
    more = sc.main_job(other, own.path)["pipelines"]["main"]
    more["inputs"].append("apps")
    config["pipelines"]["more"] = more
    own.write(30)
    said = reload(sc, agent)
    assert (said["added"], said["kept"]) == (["more"], ["main"]), said
    shared.write(5)
    sc.arrived(receiver, 55)
    sc.arrived(other, 35)
    assert pipeline_of(agent, "main")["received"] == 55

    del config["pipelines"]["main"]
    said = reload(sc, agent)
    assert (said["removed"], said["kept"]) == (["main"], ["more"]), said
    shared.write(5)
    sc.arrived(other, 40)
    assert receiver.count() == 55
    names = [p["name"] for p in agent.ledger()["pipelines"]]
    assert names == ["more"], names
    assert "is removed" in agent.log_text()
    assert not [m for m, value in agent.metrics().items() if m.startswith("sluice_journal_bytes") and '"main"' in m and value]


def a_wrong_file_changes_nothing(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(receiver, log.path))
    good = agent.config["pipelines"]["main"]["filters"]
    for broken, complaint in (([{"pars": {}}], "did you mean `parse`"), ([{"parse": {"format": "jsn"}}], "jsn")):
        agent.config["pipelines"]["main"]["filters"] = broken
        agent.write_config()
        status, said = post(agent)
        assert (status, said["result"]) == (422, "refused"), (status, said)
        assert complaint in said["reason"] and "sluice.yaml:" in said["reason"], said["reason"]
        assert complaint in agent.log_text() and "what is at work stays" in agent.log_text()
        log.write(10)
    sc.delivered_exactly(agent, receiver, log)
    agent.config["pipelines"]["main"]["filters"] = good
    agent.config["service"]["workers"] = 3
    agent.write_config()
    status, said = post(agent)
    assert status == 422 and "`service.workers`" in said["reason"] and "restart" in said["reason"], said
    with open(agent.config_path, "w", encoding="ascii") as out:
        out.write("pipelines: [")
    agent.process.send_signal(signal.SIGHUP)
    sc.wait(lambda: agent.metrics()['sluice_reloads_total{result="refused"}'] == 4, "the signal is answered")
    log.write(10)
    sc.delivered_exactly(agent, receiver, log)


def other_machines_may_not(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(receiver, log.path), start=False)
    agent.config["service"]["http"] = f"0.0.0.0:{agent.http_port}"
    agent.write_config()
    agent.start()
    status, answer = ask(agent)
    assert status == 403 and b"SIGHUP" in answer, (status, answer)
    assert last(agent)["result"] == "none"


def a_secret_in_a_file_is_a_change(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    with open(sc.path("token"), "w", encoding="ascii") as out:
        out.write("first-s3cret-token")
    output = {"auth": {"bearer": "${file:%s}" % sc.path("token")}}
    agent = sc.agent(sc.main_job(receiver, log.path, output=output))
    with open(sc.path("token"), "w", encoding="ascii") as out:
        out.write("other-s3cret-token")
    assert reload(sc, agent)["changed"] == ["main"]
    log.write(10)
    sc.delivered_exactly(agent, receiver, log)
    assert "s3cret" not in agent.log_text() and "s3cret" not in json.dumps(last(agent))


def what_does_not_open_brings_the_old_back(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(receiver, log.path))
    log.write(100)
    sc.arrived(receiver, 100)
    inputs = agent.config["pipelines"]["main"]["inputs"]
    inputs += [{"stdin": {}}, {"stdin": {"name": "another"}}]
    said = reload(sc, agent, expect="failed")
    assert "stands in two places" in said["reason"], said
    assert "is taken up again" in agent.log_text()
    log.write(100)
    sc.arrived(receiver, 200)
    del inputs[1:]
    agent.write_config()
    assert post(agent)[1]["result"] == "unchanged"
    sc.delivered_exactly(agent, receiver, log)


def a_dead_address_is_mended_with_the_journal_full(sc):
    log, receiver = sc.log("app.log", NoisyWriter), sc.receiver()
    buffer = {"max_size": "4MiB", "segment_size": "1MiB", "fsync": "1s", "when_full": "block"}
    config = sc.main_job(receiver, log.path, buffer=buffer)
    output = config["pipelines"]["main"]["outputs"][0]["elasticsearch"]
    address, output["url"] = output["url"], ["http://127.0.0.1:9"]
    agent = sc.agent(config)
    log.write(20000)
    sc.wait(lambda: b"must catch up" in agent.page("/ready"), "the journal is full")
    output["url"] = address
    reload(sc, agent)
    sc.delivered_exactly(agent, receiver, log)


def with_the_buffer_in_memory(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path, buffer={"type": "memory"}))
    filters = agent.config["pipelines"]["main"]["filters"]
    with log.background(rate=3000):
        for turn in range(4):
            time.sleep(0.3)
            filters[2:] = [{"edit": {"set": {"turn": turn}}}]
            reload(sc, agent)
    sc.delivered_exactly(agent, index, log)


def a_dead_address_with_the_buffer_in_memory(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    config = sc.main_job(receiver, log.path, buffer={"type": "memory"})
    output = config["pipelines"]["main"]["outputs"][0]["elasticsearch"]
    address, output["url"] = output["url"], ["http://127.0.0.1:9"]
    agent = sc.agent(config)
    log.write(1000)
    sc.wait(lambda: pipeline_of(agent, "main")["received"] == 1000, "the records are read")
    output["url"] = address
    reload(sc, agent)
    sc.delivered_exactly(agent, receiver, log)


def standard_input_is_kept(sc):
    """It can't be read again, and half a line has come."""
    config = sc.path("sluice.yaml")
    out, port = sc.path("out.ndjson"), sc.service()["http"]

    def write(turn):
        with open(config, "w", encoding="ascii") as file:
            json.dump({"service": {"data_dir": sc.path("data"), "http": port},
                       "pipelines": {"p": {"inputs": [{"stdin": {}}],
                                           "filters": [{"parse": "json"}, {"edit": {"set": {"turn": turn}}}],
                                           "outputs": [{"file": out}]}}}, file)  # fmt: skip

    write(0)
    with open(sc.path("log"), "wb") as log:
        agent = subprocess.Popen([find_binary(), "run", "-c", config], stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        said = lambda: open(sc.path("log"), encoding="utf-8").read()  # noqa: E731
        sc.wait(lambda: "pages at" in said(), "the agent runs")
        agent.stdin.write(b'{"n":1}\n{"n":')
        agent.stdin.flush()
        for turn in range(1, 4):
            time.sleep(0.1)
            write(turn)
            agent.send_signal(signal.SIGHUP)
            sc.wait(lambda: said().count("the configuration is reloaded") == turn, "the reload comes to its end")
            agent.stdin.write(b'%d}\n{"n":' % (turn + 1))
            agent.stdin.flush()
        agent.stdin.write(b"9}\n")
        agent.stdin.close()

        def numbers():
            if not os.path.exists(out):
                return []
            with open(out, encoding="utf-8") as file:
                return [json.loads(line)["n"] for line in file]

        sc.wait(lambda: len(numbers()) == 5, "all lines arrive")
        assert numbers() == [1, 2, 3, 4, 9], numbers()
        agent.terminate()
        assert agent.wait(20) == 0
    finally:
        agent.kill()
        agent.wait()


def a_hundred_times_costs_nothing(sc):
    log, receiver = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(receiver, log.path))
    filters = agent.config["pipelines"]["main"]["filters"]

    def resident():
        with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def descriptors():
        return len(os.listdir(f"/proc/{agent.process.pid}/fd"))

    for turn in range(100):
        filters[2:] = [{"edit": {"set": {"turn": turn}}}]
        reload(sc, agent)
        log.write(10)
        if turn == 30:
            sc.arrived(receiver, 310)
            before, files, cells = resident(), descriptors(), len(agent.metrics())
    sc.delivered_exactly(agent, receiver, log)
    assert descriptors() <= files + 2, f"{files} descriptors became {descriptors()}"
    assert len(agent.metrics()) == cells, f"{cells} metrics became {len(agent.metrics())}"
    grown = resident() - before
    assert grown < 4096, f"70 reloads took {grown} kB"


run(by_signal_again_and_again_while_the_log_is_written, an_input_that_changes_goes_on_where_it_was,
    an_input_shared_with_a_buffer_in_memory, a_kill_in_the_middle_loses_nothing, only_what_differs_is_changed,
    pipelines_come_and_go, a_wrong_file_changes_nothing, other_machines_may_not, a_secret_in_a_file_is_a_change,
    what_does_not_open_brings_the_old_back, a_dead_address_is_mended_with_the_journal_full, with_the_buffer_in_memory,
    a_dead_address_with_the_buffer_in_memory, standard_input_is_kept, a_hundred_times_costs_nothing)  # fmt: skip
