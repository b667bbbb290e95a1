"""Brokers that go, stand still or change places, and networks that are cut: nothing is lost, the ledger tells where everything
is, and other outputs do not notice."""

import time

from sluice_e2e import run

EAGER = {"rdkafka": {"reconnect.backoff.max.ms": "1000"}}  # the usual 10 s would only make the tests longer
SHORT = {"message_timeout": "1s", **EAGER}  # as if it were ten minutes of the usual one
AWAY = 5  # seconds
RATE = 2000


def begin(sc, output=None, **options):
    """An agent with two outputs: into Kafka, and beside it into a receiver."""
    kafka, beside = sc.kafka(own=True, **options), sc.receiver()
    log = sc.log("app.log")
    config = sc.main_job(kafka, log.path, output=output)
    config["pipelines"]["main"]["outputs"] += sc.main_job(beside, log.path)["pipelines"]["main"]["outputs"]
    return log, kafka, beside, config


def away(sc, go, come, output=None):
    """While nobody answers, all waits; the one beside gets every record at once."""
    log, kafka, beside, config = begin(sc, output)
    kafka.create(partitions=2)
    agent = sc.agent(config)
    late = 0
    with log.background(rate=RATE):
        sc.arrived(kafka, RATE)
        go(kafka)
        until = time.monotonic() + AWAY
        while time.monotonic() < until:
            time.sleep(0.2)
            late = max(late, log.count - beside.count())
        ledger = agent.ledger()["pipelines"][0]["outputs"]
        assert ledger[0]["buffered"] + ledger[0]["in_flight"] > RATE * AWAY / 2, ledger
        come(kafka)
        sc.arrived(kafka, log.count)
    print(f"the one beside was {late} records late at most, at {RATE} a second")
    assert late < RATE, f"the output beside was {late} records late"
    doubled = sc.delivered_at_least_once(agent, kafka, log)
    sc.delivered_exactly(agent, beside, log)
    print(f"{doubled} of {log.count} records are there twice")
    return agent, doubled


def killed_for_longer_than_messages_live(sc):
    agent, _ = away(sc, lambda kafka: kafka.kill(), lambda kafka: kafka.start(), SHORT)
    assert "Local: Message timed out" in agent.log_text(), "nothing was given back"


def stands_still_for_longer_than_messages_live(sc):
    away(sc, lambda kafka: kafka.pause(), lambda kafka: kafka.resume(), SHORT)


def killed_for_a_moment(sc):
    """Within the time that messages live, librdkafka itself sends them again, and the broker knows them."""
    _, doubled = away(sc, lambda kafka: kafka.kill(), lambda kafka: kafka.start(), EAGER)
    assert doubled == 0, f"{doubled} records are there twice"


def away_when_the_agent_starts(sc):
    log, kafka = sc.log("app.log"), sc.kafka(own=True).create()
    kafka.stop()
    log.write(2000)
    agent = sc.agent(sc.main_job(kafka, log.path, output=SHORT))
    sc.settled(agent, stuck=2000)
    agent.kill()
    agent.start()
    sc.settled(agent, stuck=2000)
    kafka.start()
    sc.delivered_at_least_once(agent, kafka, log)


def the_leader_is_lost(sc):
    """kill -9 for the leader of three; it comes back and is lost again. What a leader has taken it has with another."""
    log, kafka, beside, config = begin(sc, EAGER, brokers=3)
    kafka.create(partitions=3, replicas=3)
    agent = sc.agent(config)
    with log.background(rate=RATE):
        sc.arrived(kafka, RATE)
        for partition in range(2):
            lost = kafka.lose_leader(partition=partition)
            sc.arrived(kafka, kafka.count() + RATE)
            kafka.start(lost)
            sc.arrived(kafka, kafka.count() + RATE)
    sc.delivered_exactly(agent, kafka, log)
    sc.delivered_exactly(agent, beside, log)


def the_network_is_cut(sc):
    """Once so that both ends know, once so that nobody is told."""
    net = sc.network()
    log, kafka = sc.log("app.log"), sc.kafka(host=net.outside).create()
    agent = sc.agent(sc.main_job(kafka, log.path, output=SHORT), network=net)
    with log.background(rate=1000):
        sc.arrived(kafka, 500)
        for cut, heal in ((net.unplug, net.plug), (net.swallow, net.answer)):
            cut()
            time.sleep(4)
            heal()
            sc.arrived(kafka, log.count)
    doubled = sc.delivered_at_least_once(agent, kafka, log)
    print(f"{doubled} of {log.count} records are there twice")


run(killed_for_longer_than_messages_live, stands_still_for_longer_than_messages_live, killed_for_a_moment,
    away_when_the_agent_starts, the_leader_is_lost, the_network_is_cut)  # fmt: skip
