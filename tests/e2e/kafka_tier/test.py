"""Agents -> Kafka -> aggregators in one group -> the index: each record once, whoever dies or joins."""

import json
import time

from sluice_e2e import assert_exactly, ledger, run
from sluice_e2e.kafka import USER
from sluice_e2e.scenario import elasticsearch_output

PARTITIONS = 6
RATE = 1500  # records a second of each agent


def agent(sc, kafka, number):
    log = sc.log(f"app{number}.log", first=number * 1_000_000)
    config = sc.main_job(kafka, log.path, output={"key": "{{ n }}"}, service={"name": f"agent{number}"})
    return log, sc.agent(config, name=f"agent{number}")


def aggregator(sc, kafka, index, name, buffer=None, running=True, **options):
    """Its buffer is memory: an offset is committed when its record is delivered, and nothing waits on the disk of a
    machine that may not come back."""
    reads = {"brokers": kafka.brokers, "topics": [kafka.topic], "group": kafka.topic, "session_timeout": "6s", "commit": "500ms", **options}
    pipeline = {
        "inputs": [{"kafka": reads}],
        "filters": [{"parse": {"format": "json"}}],
        "outputs": [elasticsearch_output(index, {})],
        "buffer": buffer or {"type": "memory"},
    }
    return sc.agent({"service": sc.service(name), "pipelines": {"main": pipeline}}, name=name, start=running)


def assigned(each):
    return each.metric("sluice_kafka_partitions_assigned")


def an_aggregator_is_killed_and_another_joins(sc):
    kafka, index = sc.kafka().create(partitions=PARTITIONS), sc.receiver()
    logs, agents = zip(*(agent(sc, kafka, number) for number in range(3)))
    first, second = (aggregator(sc, kafka, index, name) for name in ("first", "second"))
    sc.wait(lambda: assigned(first) == assigned(second) == PARTITIONS / 2, "the two share the partitions")
    with logs[0].background(RATE), logs[1].background(RATE), logs[2].background(RATE):
        sc.arrived(index, 3000)
        second.kill()
        third = aggregator(sc, kafka, index, "third")
        sc.wait(lambda: assigned(first) == assigned(third) == PARTITIONS / 2, "the new one takes over")
        time.sleep(1)
    sc.arrived(index, sum(log.count for log in logs))
    for each in (*agents, first, third):
        settled = sc.settled(each)
        assert ledger.total(settled, "dropped", "dead_lettered") == 0, f"{each.folder}: {settled}"
    assert_exactly(index.docs(), [n for log in logs for n in log.numbers])
    print(f"{index.count()} records, {index.stats()['conflicts']} of them read twice")
    sc.wait(lambda: not first.metric("sluice_kafka_lag_messages"), "all that was read is safe")


def what_was_sent_twice_is_one_document(sc):
    """The id that the agent gave comes with the record."""
    kafka, index = sc.kafka().create(partitions=2), sc.receiver()
    log, sender = agent(sc, kafka, 0)
    log.write(500)
    sc.settled(sender)
    kafka.repeat(kafka.records()[:100])
    reader = aggregator(sc, kafka, index, "reader", buffer={"max_size": "1GiB", "fsync": "100ms"})
    sc.wait(lambda: ledger.total(reader.ledger(), "received") == 600, "all are read")
    sc.settled(reader)
    assert_exactly(index.docs(), log.numbers)
    assert index.stats()["conflicts"] == 100


def from_a_time_with_what_kafka_knows(sc):
    kafka, index = sc.kafka().create(partitions=2), sc.receiver()
    kafka.produce(*(b'{"n":%d}' % n for n in range(100)))
    time.sleep(2)
    begin = time.time() - 1
    kafka.produce(*(b'{"n":%d}' % n for n in range(100, 200)))
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin))
    names = {"topic": "topic", "partition": "partition", "offset": "at", "time": "sent"}
    reader = aggregator(sc, kafka, index, "reader", running=False, start=start, fields=names)
    reader.once()
    docs = index.docs()
    assert_exactly(docs, range(100, 200))
    assert {doc["topic"] for doc in docs} == {kafka.topic} and {doc["partition"] for doc in docs} <= {0, 1}, docs[0]
    places = {(record.partition, record.offset): json.loads(record.value)["n"] for record in kafka.records()}
    assert all(places[doc["partition"], doc["at"]] == doc["n"] and doc["sent"].startswith("20") for doc in docs), docs[0]


def a_wrong_password_is_told(sc):
    kafka, index = sc.kafka().create(), sc.receiver()
    reader = aggregator(sc, kafka, index, "reader", brokers=kafka.addresses["SASL_SSL"], tls={"ca": kafka.tls("ca.pem")},
                        sasl={"mechanism": "scram-sha-256", "username": USER, "password": "wr0ng-pa55word"})  # fmt: skip
    sc.wait(lambda: "uthentication" in reader.page("/ready").decode(), "/ready says why")
    assert "wr0ng-pa55word" not in reader.log_text()


run(an_aggregator_is_killed_and_another_joins, what_was_sent_twice_is_one_document, from_a_time_with_what_kafka_knows,
    a_wrong_password_is_told, at_once=2)  # fmt: skip
