"""The index goes and comes back: what was written meanwhile waits in the journal, and arrives once."""

import time

from sluice_e2e import run


def outage(sc, how, **more):
    log, index = sc.log("app.log"), sc.index(own=True)
    agent = sc.agent(sc.main_job(index, log.path, **more))
    with log.background(rate=3000):
        sc.arrived(index, 2000)
        how(index)
        time.sleep(3)
        assert agent.ledger()["pipelines"][0]["outputs"][0]["buffered"] > 0
        index.start()
    sc.delivered_exactly(agent, index, log, seconds=120)


def stopped_and_started(sc):
    outage(sc, lambda index: index.stop())


def killed_and_started(sc):
    outage(sc, lambda index: (index.kill if hasattr(index, "kill") else index.stop)())


def away_when_the_agent_starts(sc):
    log, index = sc.log("app.log"), sc.index(own=True)
    index.stop()
    log.write(2000)
    agent = sc.agent(sc.main_job(index, log.path))
    sc.settled(agent, stuck=2000)
    agent.kill()
    agent.start()
    sc.wait(lambda: agent.ledger()["pipelines"][0]["recovered"] == 2000, "the journal's records are found again")
    index.start()
    sc.delivered_exactly(agent, index, log, seconds=120)


run(stopped_and_started, killed_and_started, away_when_the_agent_starts)
