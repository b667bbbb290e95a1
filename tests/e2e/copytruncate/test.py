"""copytruncate: the truncation is noticed, the copy is not read again, and what only the copy holds is read."""

from sluice_e2e import run


def start(sc, suffix):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + suffix))
    log.write(2000)
    sc.arrived(index, 2000)
    return log, index, agent


def while_running_the_copy_out_of_sight(sc):
    log, index, agent = start(sc, "")
    for size in (100, 3000, 1):
        log.copytruncate()
        log.write(size)
        sc.arrived(index, log.count)
    sc.delivered_exactly(agent, index, log)


def while_running_the_copy_in_sight(sc):
    log, index, agent = start(sc, "*")
    for number in range(3):
        log.copytruncate(f"{log.path}.{number}")
        log.write(1500)
        sc.arrived(index, log.count)
    sc.delivered_exactly(agent, index, log)


def with_bytes_unread_that_only_the_copy_holds(sc):
    log, index, agent = start(sc, "*")
    with agent.paused():
        log.write(2000)
        log.copytruncate()
        log.write(500)
    sc.delivered_exactly(agent, index, log)


def while_stopped_and_shorter_than_before(sc):
    log, index, agent = start(sc, "*")
    agent.stop()
    log.copytruncate()
    log.write(100)
    agent.start()
    sc.delivered_exactly(agent, index, log)


def while_stopped_and_longer_than_before(sc):
    log, index, agent = start(sc, "*")
    agent.stop()
    log.write(200)
    log.copytruncate()
    log.write(5000)
    agent.start()
    sc.delivered_exactly(agent, index, log)


run(while_running_the_copy_out_of_sight, while_running_the_copy_in_sight, with_bytes_unread_that_only_the_copy_holds,
    while_stopped_and_shorter_than_before, while_stopped_and_longer_than_before)  # fmt: skip
