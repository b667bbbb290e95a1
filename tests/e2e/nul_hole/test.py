"""A writer without O_APPEND goes on at its old offset after a truncation: the hole of NUL bytes before it
is skipped, and what follows is read whole."""

from sluice_e2e import run


def start(sc):
    log, index = sc.log("app.log", append=False), sc.index()
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(2000)
    sc.arrived(index, 2000)
    return log, index, agent


def is_skipped_while_running(sc):
    log, index, agent = start(sc)
    for _ in range(3):
        log.copytruncate(sc.path("copy"))
        log.write(1000)
        sc.arrived(index, log.count)
    sc.delivered_exactly(agent, index, log)
    assert b"\\u0000" not in index.raw_docs()


def is_skipped_after_a_restart(sc):
    log, index, agent = start(sc)
    agent.stop()
    log.copytruncate(sc.path("copy"))
    log.write(1000)
    agent.start()
    sc.delivered_exactly(agent, index, log)


run(is_skipped_while_running, is_skipped_after_a_restart)
