"""A file that is deleted with bytes unread is read to its end, as long as the agent has it open."""

import os

from sluice_e2e import run


def and_made_anew(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(100)
    sc.arrived(index, 100)
    with agent.paused():
        log.write(5000)
        log.remove_and_recreate()
        log.write(100)
    sc.delivered_exactly(agent, index, log)


def and_gone_for_good(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log")))
    log.write(100)
    sc.arrived(index, 100)
    with agent.paused():
        log.write(5000)
        os.unlink(log.path)
    sc.delivered_exactly(agent, index, log)


def and_the_whole_folder_with_it(sc):
    log, index = sc.log("pod/app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "**", "*.log")))
    log.write(100)
    sc.arrived(index, 100)
    with agent.paused():
        log.write(5000)
        os.unlink(log.path)
        os.rmdir(os.path.dirname(log.path))
    again = sc.log("pod/app.log", first=10_000).write(100)
    sc.delivered_exactly(agent, index, log, again)


run(and_made_anew, and_gone_for_good, and_the_whole_folder_with_it)
