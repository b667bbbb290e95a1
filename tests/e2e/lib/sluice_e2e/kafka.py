"""A real Kafka that the agent delivers to, and what its topics hold, read by kafkajs."""

import glob
import json
import os
import subprocess
import time
from dataclasses import dataclass

from .services import SERVICES, MissingTool, ServiceError, is_service_running, run_service

USER, STRANGER, PASSWORD = "writer", "stranger", "writers-password-k4fka"  # see tests/services/parts/kafka.py
MOVE_SECONDS = 30
NOBODY = -1  # leads a partition that nobody can lead


@dataclass(frozen=True, order=True)
class Record:
    """What a topic holds at a place; keys, values and headers are bytes, or None."""

    partition: int
    offset: int
    timestamp: int  # milliseconds
    key: bytes | None
    value: bytes | None
    headers: dict


class KafkaError(ServiceError):
    """What the broker, or kafkajs, answered."""


class KafkaClient:
    """tests/services/kafkajs/client.js, as a process of its own."""

    def __init__(self, brokers, **more):
        done = subprocess.run([os.path.join(SERVICES, "packages"), "kafkajs"], capture_output=True, text=True, check=False)
        if done.returncode == 77:
            raise MissingTool(done.stderr.strip())
        if done.returncode:
            raise ServiceError(f"kafkajs can't be installed: {done.stderr[-2000:]}")
        environment = {**os.environ, "NODE_PATH": os.path.join(done.stdout.strip(), "node_modules"), "KAFKAJS_NO_PARTITIONER_WARNING": "1"}
        command = ["node", os.path.join(SERVICES, "kafkajs", "client.js"), json.dumps({"brokers": brokers, **more})]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, **options):
        """The answer, or for `read` the lines before it."""
        self._process.stdin.write(json.dumps({"do": command, **options}) + "\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            said = json.loads(line)
            if "error" in said:
                raise KafkaError(said["error"])
            if "done" in said:
                return lines if command == "read" else said["done"]
            lines.append(said)
        raise ServiceError(f"kafkajs ended at {command}")

    def clean_up(self):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class Kafka:
    """One broker, or several. The state directory may be shared with other scenarios, and is then not
    ours to stop; `topic` is ours alone."""

    def __init__(self, state, topic, shared=False, brokers=1, host="127.0.0.1", settings=None):
        """`settings`: more of server.properties."""
        self.state = state
        self.topic = topic
        self.shared = shared
        self._options = ["--brokers", str(brokers), "--host", host]
        for name, value in (settings or {}).items():
            self._options += ["--setting", f"{name}={value}"]
        running = shared and is_service_running("kafka", state)
        self.addresses = json.loads(run_service("kafka", "addresses" if running else "start", state, *([] if running else self._options), shared=shared))
        self._client = self.client()

    @property
    def brokers(self):
        """The addresses at which anyone may do all."""
        return self.addresses["PLAINTEXT"]

    def tls(self, name):
        """The path of one of the certificates and keys of tests/services/parts/tls.py."""
        return os.path.join(self.state, "tls", name)

    def client(self, user=None, password=PASSWORD, mechanism="scram-sha-256"):
        """Another client; with `user`, one that logs in."""
        if not user:
            return KafkaClient(self.brokers)
        sasl = {"mechanism": mechanism, "username": user, "password": password}
        return KafkaClient(self.addresses["SASL_SSL"], ssl={"ca": self.tls("ca.pem")}, sasl=sasl)

    def output(self, more):
        """The agent's output that delivers here."""
        return {"kafka": {"brokers": self.brokers, "topic": self.topic, "retry": {"initial": "100ms", "max": "1s"}, **more}}

    # -- the brokers ---------------------------------------------------------------------------

    def _run(self, verb, broker):
        run_service("kafka", verb, self.state, *([] if broker is None else [str(broker)]), shared=self.shared)

    def start(self, broker=None):
        """All that do not run, or the one, with the same data and addresses."""
        self._run("start", broker)

    def stop(self, broker=None):
        self._run("stop", broker)

    def kill(self, broker=None):
        self._run("kill", broker)

    def pause(self, broker=None):
        """It stands still, and nobody is told."""
        self._run("pause", broker)

    def resume(self, broker=None):
        self._run("resume", broker)

    # -- topics --------------------------------------------------------------------------------

    def create(self, topic=None, partitions=1, replicas=1, config=None):
        self._client.ask("create", topic=topic or self.topic, partitions=partitions, replicas=replicas, config=config or {})
        return self

    def configure(self, config, topic=None):
        self._client.ask("configure", topic=topic or self.topic, config=config)

    def delete(self, topic=None):
        self._client.ask("delete", topic=topic or self.topic)

    def leader(self, topic=None, partition=0):
        """The number of the broker that leads it."""
        return next(each["leader"] for each in self.describe(topic) if each["partition"] == partition)

    def lose_leader(self, topic=None, partition=0):
        """kill -9 for the broker that leads it; returns its number when others have taken over all that it led."""
        lost = self.leader(topic, partition)
        self.kill(lost)
        deadline = time.monotonic() + MOVE_SECONDS
        while any(each["leader"] in (lost, NOBODY) for each in self.describe(topic)):
            if time.monotonic() > deadline:
                raise ServiceError(f"nobody leads {topic or self.topic} {MOVE_SECONDS} s after broker {lost} was killed")
            time.sleep(0.1)
        return lost

    def describe(self, topic=None):
        """For each partition: partition, leader, replicas, isr."""
        return self._client.ask("describe", topic=topic or self.topic)

    def produce(self, *values, topic=None, compression=None):
        """`values`: bytes, or pairs of a key and a value."""
        pairs = [(None, value) if isinstance(value, bytes) else value for value in values]
        messages = [{"key": key and key.decode("latin-1"), "value": value.decode("latin-1")} for key, value in pairs]
        self._client.ask("produce", topic=topic or self.topic, messages=messages, compression=compression)

    def repeat(self, records, topic=None):
        """The same values and headers once more, as a producer does that did not hear of its success."""
        messages = [{"value": each.value.decode("latin-1"),
                     "headers": {name: value.decode("latin-1") for name, value in each.headers.items()}} for each in records]  # fmt: skip
        self._client.ask("produce", topic=topic or self.topic, messages=messages)

    # -- what they hold ------------------------------------------------------------------------

    def count(self, topic=None):
        """Offsets used, without what is part of an open transaction; with the markers of ended ones."""
        return self._client.ask("count", topic=topic or self.topic)

    def bytes_on_disk(self, topic=None):
        """Of the first broker's replicas."""
        segments = glob.glob(os.path.join(self.state, "1", "data", glob.escape(topic or self.topic) + "-*", "*.log"))
        return sum(os.path.getsize(segment) for segment in segments)

    def records(self, topic=None, committed=True):
        """Every record, by partition and offset; without `committed`, what was aborted, too."""

        def raw(text):
            return None if text is None else text.encode("latin-1")

        found = self._client.ask("read", topic=topic or self.topic, committed=committed)
        return sorted((Record(**{**each, "key": raw(each["key"]), "value": raw(each["value"]),
                                 "headers": {name: raw(value) for name, value in each["headers"].items()}}) for each in found),
                      key=lambda record: (record.partition, record.offset))  # fmt: skip

    def docs(self):
        return [json.loads(record.value) for record in self.records()]

    def identified(self):
        """For assert_none_lost(): each record's number, and its id from the header that the agent sets."""
        return [(json.loads(record.value)["n"], record.headers["sluice-id"]) for record in self.records()]

    def raw_docs(self):
        return b"\n".join(record.value or b"" for record in self.records())

    def clean_up(self):
        self._client.clean_up()
        if not self.shared:
            self.kill()
