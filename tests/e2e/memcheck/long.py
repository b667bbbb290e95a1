"""The agent's life under valgrind: started on a main job, rotated, stopped, started on what it left, killed, run once: no error, no leak."""

import json
import os

from sluice_e2e import assert_exactly, run
from sluice_e2e.agent import find_binary

RECORDS = 2000
SECONDS = 120  # everything takes some thirty times as long
FOUND = 99
OPTIONS = ["--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite", "--track-origins=yes",
           "--fair-sched=yes", f"--error-exitcode={FOUND}"]  # fmt: skip


def wrapped(sc):
    """A program in the agent's place that runs it under valgrind; and where that writes what it finds."""
    valgrind, path, found = sc.need("valgrind", "valgrind"), sc.path("sluice-valgrind"), sc.path("found")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'#!/bin/sh\nexec {valgrind} {" ".join(OPTIONS)} --log-file={found}.%p {find_binary()} "$@"\n')
    os.chmod(path, 0o755)
    return path


def configuration(sc, log, index):
    """The main job, with a file and dead letters beside it."""
    filters = [{"parse": {"format": "json", "on_error": "dead_letter", "time": {"field": "timestamp"}}}, {"redact": {}}]
    buffer = {"max_size": "64MiB", "segment_size": "64KiB", "fsync": "50ms", "when_full": "block"}
    config = sc.main_job(index, log.path + "*", filters=filters, buffer=buffer, output={"compress": "gzip"})
    config["pipelines"]["main"]["outputs"].append({"file": {"path": sc.path("out", "out.ndjson"), "rotate": {"size": "100KiB"}, "compress": "gzip"}})
    config["service"]["shutdown_timeout"] = "60s"
    return config


def said(sc):
    """What valgrind wrote, of all runs."""
    texts = []
    for name in sorted(os.listdir(sc.dir)):
        if name.startswith("found."):
            with open(sc.path(name), encoding="utf-8", errors="replace") as source:
                texts.append(source.read())
    assert texts, "valgrind has not run"
    return "".join(texts)


def write_some(log):
    log.write(RECORDS)
    log.write_raw(b'no JSON \x00\xff "\n{"half": \n')
    log.rotate_by_rename()
    log.write(10)


def a_life(sc):
    log, index, binary = sc.log("app.log"), sc.receiver(), wrapped(sc)
    agent = sc.agent(configuration(sc, log, index), start=False)
    for end in (agent.stop, agent.kill, agent.stop):
        write_some(log)
        agent.start(binary=binary)
        write_some(log)
        sc.arrived(index, log.count, SECONDS)
        for page in ("/ready", "/metrics", "/api/v1/ledger", "/no-such-page"):
            agent.page(page)
        end()
        assert not said(sc), said(sc)
    assert_exactly(index.docs(), log.count)


def with_a_receiver_that_fails(sc):
    """Retries, splits, dead letters, and an end with records under way."""
    steps = [{"status": 503, "count": 2}, {"status": 413, "count": 2}, {"how": "close", "count": 1}, {"body_kind": "garbage", "count": 1},
             {"items": [{"status": 400, "every": 7}], "count": 3}]  # fmt: skip
    log, index, binary = sc.log("app.log"), sc.receiver(*steps), wrapped(sc)
    agent = sc.agent(configuration(sc, log, index), start=False)
    write_some(log)
    agent.start(binary=binary)
    sc.settled(agent, SECONDS)
    index.script({"how": "hang", "count": "forever"})
    agent.config["service"]["shutdown_timeout"] = "1s"
    agent.write_config()
    log.write(100)
    sc.wait(lambda: index.stats()["in_flight"], "a request is under way", SECONDS)
    agent.stop(SECONDS)
    assert not said(sc), said(sc)
    lost = agent.command("deadletter", "show", "--data-dir", agent.data_dir).splitlines()
    assert any("elasticsearch" in json.loads(line)["output"] for line in lost if b'"output"' in line), "no letter of the output was made"


run(a_life, with_a_receiver_that_fails)
