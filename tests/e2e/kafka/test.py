"""The main job into a real Kafka: every record once, where the templates say, as Kafka's own clients would put it; what it
won't take is a dead letter with its reason."""

import json
import random
import time

from sluice_e2e import run

RECORDS = 20000
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def outputs(agent_config):
    return agent_config["pipelines"]["main"]["outputs"]


def every_record_once(sc):
    log, kafka = sc.log("app.log"), sc.kafka().create(partitions=3)
    agent = sc.agent(sc.main_job(kafka, log.path + "*", output={"key": "{{ n }}", "headers": {"service": "{{ service }}", "fixed": "yes"}}))
    with log.background(rate=10000):
        time.sleep(1)
        log.rotate_by_rename()
        time.sleep(1)
    sc.delivered_exactly(agent, kafka, log)
    records = kafka.records()
    assert len({record.headers["sluice-id"] for record in records}) == log.count, "ids are missing or the same"
    assert {record.partition for record in records} == {0, 1, 2}
    for record in records:
        doc = json.loads(record.value)
        assert record.key == b"%d" % doc["n"] and record.headers["service"] == doc["service"].encode(), record
        assert record.headers["fixed"] == b"yes" and set(record.headers) == {"sluice-id", "service", "fixed"}, record
        assert time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.timestamp / 1000)) == doc["timestamp"], record


def in_order_without_rotation(sc):
    """One file, one partition: the order of lines is that of offsets."""
    log, kafka = sc.log("app.log"), sc.kafka().create()
    agent = sc.agent(sc.main_job(kafka, log.path))
    log.write(RECORDS)
    sc.delivered_exactly(agent, kafka, log)
    assert [doc["n"] for doc in kafka.docs()] == list(range(RECORDS))


def killed_ten_times(sc):
    """A report that came too late for the agent's end is no report: so a record may be there twice, under one id."""
    log, kafka = sc.log("app.log"), sc.kafka().create(partitions=3)
    agent = sc.agent(sc.main_job(kafka, log.path))
    dice = random.Random(4711)
    with log.background(rate=5000):
        for _ in range(10):
            time.sleep(dice.uniform(0.02, 0.7))
            agent.kill()
            agent.start()
    doubled = sc.delivered_at_least_once(agent, kafka, log)
    print(f"{doubled} of {log.count} records are there twice")


def topics_and_partitions_by_template(sc):
    """Partitions are those of Java's and kafkajs's hash of the same text."""
    log, kafka = sc.log("app.log"), sc.kafka()
    names = [f"{kafka.topic}.{service}" for service in ("a", "b")]
    for name in (*names, f"{kafka.topic}.keyed"):
        kafka.create(name, partitions=5)
    agent = sc.agent(sc.main_job(kafka, log.path, output={"topic": f"{kafka.topic}." + "{{ service }}", "partition_by": "{{ host.name }}"}))
    hosts = [f"host-{number}" for number in range(20)]
    for n in range(1000):
        log.write_raw(json.dumps({"n": n, "service": "ab"[n % 2], "host": {"name": hosts[n % 20]}}).encode() + b"\n")
    sc.wait(lambda: sum(map(kafka.count, names)) == 1000, "both topics are full")
    sc.settled(agent)
    kafka.produce(*[(host.encode(), b"") for host in hosts], topic=f"{kafka.topic}.keyed")
    wanted = {record.key.decode(): record.partition for record in kafka.records(f"{kafka.topic}.keyed")}
    assert len(set(wanted.values())) == 5
    for service, name in zip("ab", names, strict=True):
        for record in kafka.records(name):
            doc = json.loads(record.value)
            assert doc["service"] == service and record.partition == wanted[doc["host"]["name"]], record
            assert record.key is None, record


def one_field_and_tombstones(sc):
    log, kafka = sc.log("app.log"), sc.kafka().create(config={"cleanup.policy": "compact"})
    agent = sc.agent(sc.main_job(kafka, log.path, output={
        "key": "{{ id }}", "format": "field", "field": "text", "tombstone": "gone == true", "id_header": ""}))  # fmt: skip
    lines = [{"id": "a", "text": 'line\n"quoted" é'}, {"id": "b", "text": ""}, {"id": "a", "gone": True}]
    log.write_raw(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    sc.arrived(kafka, 3)
    sc.settled(agent)
    assert [(record.key, record.value, record.headers) for record in kafka.records()] == [
        (b"a", 'line\n"quoted" é'.encode(), {}), (b"b", b"", {}), (b"a", None, {})]  # fmt: skip


def each_compression(sc):
    """One journal, five outputs; the broker keeps what it gets."""
    log, kafka = sc.log("app.log"), sc.kafka()
    config = sc.main_job(kafka, log.path)
    (common,) = outputs(config)
    outputs(config).clear()
    for codec in CODECS:
        kafka.create(f"{kafka.topic}.{codec}")
        outputs(config).append({"kafka": {**common["kafka"], "topic": f"{kafka.topic}.{codec}", "compress": codec, "name": codec}})
    log.write(RECORDS)
    agent = sc.agent(config)
    sc.wait(lambda: all(kafka.count(f"{kafka.topic}.{codec}") == RECORDS for codec in CODECS), "all topics are full")
    sc.settled(agent)
    plain = kafka.records(f"{kafka.topic}.none")
    assert [json.loads(record.value)["n"] for record in plain] == list(range(RECORDS))
    for codec in CODECS[1:]:
        found = kafka.records(f"{kafka.topic}.{codec}")
        assert [(record.value, record.headers) for record in found] == [(record.value, record.headers) for record in plain], codec
        sizes = [kafka.bytes_on_disk(f"{kafka.topic}.{each}") for each in (codec, "none")]
        assert sizes[0] < sizes[1] / 3, f"{codec}: {sizes}"


# -- what the broker won't take ------------------------------------------------------------------------


def dead_lettered(agent):
    return agent.ledger()["pipelines"][0]["outputs"][0]["dead_lettered"]


def dead_letters(agent, reason):
    """What each says was the last error; all tell the reason."""
    shown = agent.command("deadletter", "show", "--data-dir", agent.data_dir).decode()
    errors = [json.loads(line)["last_error"] for line in shown.splitlines()]
    assert all(reason in error for error in errors), sorted(set(errors))
    return errors


def too_large_for_the_topic(sc):
    """The large ones are dead letters with the broker's reason; those in the same batch are delivered."""
    log, kafka = sc.log("app.log"), sc.kafka().create(config={"max.message.bytes": 2000})
    config = sc.main_job(kafka, log.path)
    agent = sc.agent(config)
    large = range(0, 500, 50)
    for n in range(500):
        log.write_raw(json.dumps({"n": n, "text": "x" * (3000 if n in large else 10)}).encode() + b"\n")
    sc.arrived(kafka, 500 - len(large))
    sc.settled(agent)
    assert dead_lettered(agent) == len(large)
    assert sorted(doc["n"] for doc in kafka.docs()) == [n for n in range(500) if n not in large]
    assert len(dead_letters(agent, "Broker: Message size too large")) == len(large)


def too_large_for_the_option(sc):
    log, kafka = sc.log("app.log"), sc.kafka().create()
    agent = sc.agent(sc.main_job(kafka, log.path, output={"max_message": "5000"}))
    for n in range(100):
        log.write_raw(json.dumps({"n": n, "text": "x" * (6000 if n == 50 else 10)}).encode() + b"\n")
    sc.arrived(kafka, 99)
    sc.settled(agent)
    assert len(dead_letters(agent, "is larger than `max_message`")) == 1


def no_such_topic(sc):
    """Not there, and not made by sending to it; what is for others is delivered."""
    log, kafka = sc.log("app.log"), sc.kafka().create(partitions=2)
    agent = sc.agent(sc.main_job(kafka, log.path, output={
        "topic": "{{ to }}", "rdkafka": {"topic.metadata.propagation.max.ms": "1000", "topic.metadata.refresh.interval.ms": "1000"}}))  # fmt: skip

    def write(numbers, *topics):
        for n in numbers:
            log.write_raw(json.dumps({"n": n, "to": topics[n % len(topics)]}).encode() + b"\n")

    write(range(100), kafka.topic, f"{kafka.topic}.none", "no/name", "x" * 250)
    sc.wait(lambda: dead_lettered(agent) == 75, "three of four are dead letters")
    sc.arrived(kafka, 25)
    sc.settled(agent)
    errors = dead_letters(agent, "topic")
    assert sum(f"{kafka.topic}.none: " in error and "nknown topic" in error for error in errors) == 25, errors
    assert sum("is no name of a topic" in error for error in errors) == 50, errors


def a_topic_that_is_deleted(sc):
    """Nobody makes it anew: dead letters with the reason, until somebody does. The ledger tells of each."""
    log, kafka = sc.log("app.log"), sc.kafka().create()
    agent = sc.agent(sc.main_job(kafka, log.path))
    log.write(1000)
    sc.arrived(kafka, 1000)
    kafka.delete()
    log.write(1000)
    sc.wait(lambda: dead_lettered(agent) == 1000, "the second thousand are dead letters")
    dead_letters(agent, "nknown topic")
    kafka.create()
    sc.wait(lambda: log.write(1) and kafka.count(), "records are delivered again", every=0.5)
    log.write(1000)
    sc.arrived(kafka, 1000)
    sc.settled(agent)
    arrived = [doc["n"] for doc in kafka.docs()]
    assert arrived == list(range(log.count - len(arrived), log.count)), arrived
    assert dead_lettered(agent) == log.count - 1000 - len(arrived)


def a_topic_that_makes_itself(sc):
    """By what is sent to it: when the agent starts, and again after somebody has deleted it. Nothing is lost but what was deleted."""
    log, kafka = sc.log("app.log"), sc.kafka(settings={"auto.create.topics.enable": "true"})
    agent = sc.agent(sc.main_job(kafka, log.path))
    log.write(1000)
    sc.delivered_exactly(agent, kafka, log)
    kafka.delete()
    log.write(1000)
    sc.arrived(kafka, 1000)
    sc.settled(agent)
    assert [doc["n"] for doc in kafka.docs()] == list(range(1000, 2000))
    assert dead_lettered(agent) == 0


# -- what is said about it -----------------------------------------------------------------------------


def check_refuses_what_librdkafka_would(sc):
    kafka = sc.kafka()
    log = sc.log("app.log")
    refused = {
        "no.such.property": ("1", "No such configuration property"),
        "socket.keepalive.enable": ("perhaps", "Expected bool value"),
        "socket.timeout.ms": ("2", "socket.timeout.ms"),
        "message.timeout.ms": ("1000", "use option `message_timeout`"),
        "bootstrap.servers": ("elsewhere:9092", "use option `brokers`"),
    }
    for name, (value, reason) in refused.items():
        agent = sc.agent(sc.main_job(kafka, log.path, output={"rdkafka": {name: value}}), start=False)
        done = agent.command("check", "-c", agent.config_path, check=False)
        said = done.stderr.decode()
        assert done.returncode == 2 and reason in said and name in said and agent.config_path in said, (name, done)
    agent = sc.agent(sc.main_job(kafka, log.path, output={"rdkafka": {"socket.keepalive.enable": "true"}}), start=False)
    agent.command("check", "-c", agent.config_path)


def metrics_tell_of_brokers_and_queue(sc):
    log, kafka = sc.log("app.log"), sc.kafka().create()
    agent = sc.agent(sc.main_job(kafka, log.path, output={"statistics": "100ms"}))
    log.write(RECORDS)
    sc.delivered_exactly(agent, kafka, log)
    sc.wait(lambda: agent.metric("sluice_kafka_brokers_up") == 1, "one broker is up")
    metrics = agent.metrics()
    of_output = '{pipeline="main",output="kafka"}'
    of_broker = of_output.replace("}", ',broker="1"}')
    for name in ("queue_messages", "queue_bytes", "queue_full_total"):
        assert f"sluice_kafka_{name}{of_output}" in metrics, sorted(metrics)
    for name in ("up", "rtt_microseconds", "rtt_p99_microseconds", "requests_waiting", "request_errors_total"):
        assert f"sluice_kafka_broker_{name}{of_broker}" in metrics, sorted(metrics)


run(every_record_once, in_order_without_rotation, killed_ten_times, topics_and_partitions_by_template, one_field_and_tombstones,
    each_compression, too_large_for_the_topic, too_large_for_the_option, no_such_topic, a_topic_that_is_deleted, a_topic_that_makes_itself,
    check_refuses_what_librdkafka_would, metrics_tell_of_brokers_and_queue)  # fmt: skip
