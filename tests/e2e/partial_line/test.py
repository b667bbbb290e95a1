"""A line whose end is not written yet is not sent yet: not at a stop, not at a kill, not by a rotation."""

from sluice_e2e import run


def start(sc, suffix=""):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + suffix))
    log.write(500).write_half()
    sc.arrived(index, 500)
    return log, index, agent


def completed_while_running(sc):
    log, index, agent = start(sc)
    sc.settled(agent)
    log.write(1)
    sc.delivered_exactly(agent, index, log)


def completed_after_a_restart(sc):
    log, index, agent = start(sc)
    agent.stop()
    log.write(500)
    agent.start()
    sc.delivered_exactly(agent, index, log)


def completed_after_a_kill(sc):
    log, index, agent = start(sc)
    agent.kill()
    agent.start()
    sc.settled(agent)
    log.write(500)
    sc.delivered_exactly(agent, index, log)


def completed_after_a_rotation(sc):
    log, index, agent = start(sc, "*")
    with agent.paused():
        log.write(1)
        log.rotate_by_rename()
        log.write(500)
    sc.delivered_exactly(agent, index, log)


run(completed_while_running, completed_after_a_restart, completed_after_a_kill, completed_after_a_rotation)
