"""A file that the agent may not read at first is read from its start once it may."""

import os

from sluice_e2e import run


def a_file_becomes_readable(sc):
    log, other, index = sc.log("app.log"), sc.log("other.log", first=100_000), sc.index()
    log.write(1000)
    other.write(1000)
    os.chmod(log.path, 0)
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log")), unprivileged=True)
    sc.arrived(index, 1000)
    sc.wait(lambda: "app.log" in agent.log_text(), "the agent names the file it can't read", 30)
    assert index.count() == 1000
    os.chmod(log.path, 0o644)
    sc.delivered_exactly(agent, index, log, other)


def a_folder_becomes_readable(sc):
    log, index = sc.log("closed/app.log"), sc.index()
    folder = os.path.dirname(log.path)
    log.write(1000)
    os.chmod(folder, 0)
    agent = sc.agent(sc.main_job(index, sc.path("logs", "**", "*.log")), unprivileged=True)
    sc.settled(agent)
    os.chmod(folder, 0o755)
    sc.delivered_exactly(agent, index, log)


run(a_file_becomes_readable, a_folder_becomes_readable)
