"""Rename rotation: every file is drained to its end and read once, however it is called by then."""

from sluice_e2e import run


def while_the_agent_reads(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    with log.background(rate=4000):
        for _ in range(4):
            sc.arrived(index, index.count() + 1000)
            log.rotate_by_rename()
    sc.delivered_exactly(agent, index, log)


def several_in_a_row_faster_than_the_reader(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + "*"))
    log.write(1000)
    sc.arrived(index, 1000)
    with agent.paused():
        for _ in range(6):
            log.write(700)
            log.rotate_by_rename()
    log.write(300)
    sc.delivered_exactly(agent, index, log)


def only_the_newest_name_is_configured(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(1000)
    sc.arrived(index, 1000)
    with agent.paused():
        log.write(3000)
        log.rotate_by_rename()
        log.write(500)
    sc.delivered_exactly(agent, index, log)


def while_the_agent_is_stopped(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + "*"))
    log.write(1000)
    sc.arrived(index, 1000)
    agent.stop()
    log.write(500)
    log.rotate_by_rename()
    log.write(500)
    log.rotate_by_rename()
    log.write(500)
    agent.start()
    sc.delivered_exactly(agent, index, log)


def while_stopped_and_only_the_newest_name_is_configured(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(1000)
    sc.arrived(index, 1000)
    agent.stop()
    log.write(500)
    log.rotate_by_rename()
    log.write(500)
    agent.start()
    sc.delivered_exactly(agent, index, log)


run(while_the_agent_reads, several_in_a_row_faster_than_the_reader, only_the_newest_name_is_configured,
    while_the_agent_is_stopped, while_stopped_and_only_the_newest_name_is_configured)  # fmt: skip
