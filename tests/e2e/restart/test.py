"""SIGTERM drains, ends with 0 in time, and loses nothing, whatever the index does."""

import time

from sluice_e2e import run


def five_times_while_the_log_is_written(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    with log.background(rate=3000):
        for _ in range(5):
            time.sleep(0.5)
            agent.stop()
            time.sleep(0.1)
            agent.start()
    sc.delivered_exactly(agent, index, log)


def everything_read_is_delivered_before_the_end(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(5000)
    received = sc.wait(lambda: agent.ledger()["pipelines"][0]["received"], "the agent has read something")
    agent.stop()
    assert index.count() >= received, f"{received} records were read, {index.count()} delivered"
    agent.start()
    sc.delivered_exactly(agent, index, log)


def while_the_index_is_away(sc):
    log, index = sc.log("app.log"), sc.receiver({"status": 503, "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path, service={"shutdown_timeout": "2s"}))
    log.write(3000)
    sc.settled(agent, stuck=3000)
    begun = time.monotonic()
    agent.stop()
    assert time.monotonic() - begun < 6, "the agent did not keep to its shutdown_timeout of 2 s"
    agent.start()
    ledger = sc.settled(agent, stuck=3000)
    assert ledger["pipelines"][0]["recovered"] == 3000, ledger
    index.script()
    sc.delivered_exactly(agent, index, log)


def with_the_buffer_in_memory(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path, buffer={"type": "memory"}))
    with log.background(rate=3000):
        for _ in range(3):
            time.sleep(0.5)
            agent.stop()
            agent.start()
    sc.delivered_exactly(agent, index, log)


run(five_times_while_the_log_is_written, everything_read_is_delivered_before_the_end, while_the_index_is_away,
    with_the_buffer_in_memory)  # fmt: skip
