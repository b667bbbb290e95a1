"""Networks that are cut, and names that mean nothing or something else: everything arrives once after."""

import time

from sluice_e2e import run

RECORDS = 5000
IMPATIENT = {"timeout": "2s", "connect_timeout": "2s"}


def begin(sc, *steps, name=None):
    """An agent inside a network of its own and a receiver outside, which it knows by its address or by name."""
    net = sc.network()
    log, index = sc.log("app.log"), sc.receiver(*steps, host=net.outside)
    url = f"http://{name or net.outside}:{index.port}"
    agent = sc.agent(sc.main_job(index, log.path, output={**IMPATIENT, "url": [url]}), network=net)
    return net, log, index, agent


def cut_while_records_flow(sc):
    net, log, index, agent = begin(sc, {"read_rate": 50_000, "name": "in the middle of a request"})
    log.write(RECORDS)
    sc.wait(lambda: index.stats()["in_flight"], "a request is under way")
    with log.background(rate=1000):
        net.unplug()
        time.sleep(6)
        net.plug()
        time.sleep(1)
    sc.delivered_exactly(agent, index, log)


def cut_and_nobody_is_told(sc):
    net, log, index, agent = begin(sc)
    with log.background(rate=1000):
        sc.arrived(index, 500)
        net.swallow()
        time.sleep(6)
        net.answer()
        time.sleep(1)
    sc.delivered_exactly(agent, index, log)
    assert "no answer in time" in agent.log_text(), "the cut was not noticed"


def answers_swallowed(sc):
    """The request arrives whole, its answer does not."""
    net, log, index, agent = begin(sc, {"delay": 1, "count": 3})
    log.write(RECORDS)
    sc.wait(lambda: index.count(), "a request has been taken in")
    net.swallow()
    time.sleep(4)
    net.answer()
    sc.delivered_exactly(agent, index, log)
    assert index.stats()["conflicts"] > 0, "nothing was sent twice: no answer was lost"


def a_name_that_means_nothing_yet(sc):
    net, log, index, agent = begin(sc, name="es.test")
    log.write(RECORDS)
    sc.wait(lambda: "Could not resolve host: es.test" in agent.log_text(), "the log says that the name is not known", 20)
    sc.settled(agent, stuck=RECORDS)
    net.hosts(es=net.outside)
    sc.delivered_exactly(agent, index, log)


def a_name_that_moves(sc):
    net, log, index, agent = begin(sc, name="es.test")
    net.hosts(es=net.outside)
    log.write(RECORDS)
    sc.arrived(index, RECORDS)
    index.stop()
    index.options["host"] = net.moved
    index.start()  # the same documents, at another address
    net.hosts(es=net.moved)
    log.write(RECORDS)
    moved = time.monotonic()
    sc.delivered_exactly(agent, index, log)
    assert time.monotonic() - moved < 15, "the old address was remembered for long"


run(cut_while_records_flow, cut_and_nobody_is_told, answers_swallowed, a_name_that_means_nothing_yet, a_name_that_moves)
