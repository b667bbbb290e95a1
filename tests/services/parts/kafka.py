"""A real Kafka, one broker or three, fetched through Maven and run on loopback in KRaft mode.

Each broker is a controller, too, so that any one of three may be lost.  Its listeners:

  PLAINTEXT   whoever comes may do all
  SSL         wants a client certificate
  SASL_SSL    SCRAM-SHA-256, SCRAM-SHA-512 and PLAIN: `writer` with PASSWORD may do all, `stranger`
              with the same password is known and may do nothing

The certificates are parts/tls.py's, in STATE/tls.  Files of broker N are in STATE/N; a broker that is
started again has its data and its ports.

Sources: https://kafka.apache.org/39/documentation.html, Broker Configs, KRaft and Security.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import uuid

from .daemon import Daemon, free_port
from .maven import ServiceError, fetch, find_java, run_goal
from .tls import make_certificates, openssl

VERSION = "3.9.1"
BINDING = "1.7.36"  # of slf4j, as Kafka's own; it prints the broker's log
START_SECONDS = 60
HEAP = "256m"
PASSWORD = "writers-password-k4fka"
LISTENERS = ("PLAINTEXT", "SSL", "SASL_SSL")
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Dorg.slf4j.simpleLogger.showDateTime=true",
       "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS")  # fmt: skip
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice.test</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>{binding}</version></dependency>
  </dependencies>
</project>
"""


def fetch_server():
    """The folder with the broker's jars."""

    def fill(work):
        pom, jars = os.path.join(work, "pom.xml"), os.path.join(work, "jars")
        with open(pom, "w", encoding="ascii") as out:
            out.write(POM.format(version=VERSION, binding=BINDING))
        run_goal("copy-dependencies", f"kafka_2.13 {VERSION}", "-f", pom, f"-DoutputDirectory={jars}", "-DincludeScope=runtime")
        return jars

    return fetch("kafka", VERSION, fill)


def fetch_classes():
    """An archive of the broker's classes as Java has them in memory, which halves the time of a start: made by a broker that
    starts and stops, once."""

    def fill(work):
        made = os.path.join(work, "classes")
        os.mkdir(made)
        cluster = Cluster(os.path.join(work, "state"))
        cluster.create(1, "127.0.0.1", HEAP, {})
        (broker,), shared = cluster.brokers(), cluster.load()
        broker.await_start(broker.launch(shared, f"-XX:ArchiveClassesAtExit={os.path.join(made, 'kafka.jsa')}"), shared)
        broker.stop()
        return made

    return os.path.join(fetch("kafka-classes", VERSION, fill), "kafka.jsa")


class Broker(Daemon):
    """Broker `number` of a cluster, which knows what all of them share."""

    def __init__(self, state, number):
        super().__init__(f"broker {number}", os.path.join(state, str(number)))
        self.number = number
        self._tls = os.path.join(state, "tls")

    def launch(self, shared, classes=None):
        """Starts it; await_start() waits until it serves. `classes`: what Java does about its archive, if not to read it."""
        if self.is_running():
            raise ServiceError(f"{self.name} is running already in {self.state}; stop it first")
        os.makedirs(self.state, exist_ok=True)
        properties = os.path.join(self.state, "server.properties")
        with open(properties, "w", encoding="ascii") as out:
            out.writelines(f"{name}={value}\n" for name, value in {**self._properties(shared), **shared["settings"]}.items())
        classes = classes or f"-XX:SharedArchiveFile={fetch_classes()}"
        java = [os.path.join(find_java(), "bin", "java"), f"-Xmx{shared['heap']}", *JVM, classes, "-cp", os.path.join(fetch_server(), "*")]
        self._format(java, properties, shared)
        return self.spawn([*java, "kafka.Kafka", properties], None, self.state)

    def _properties(self, shared):
        ports = shared["ports"][str(self.number)]
        addresses = [f"{name}://{shared['host']}:{ports[name]}" for name in LISTENERS]
        replicas = min(3, len(shared["ports"]))
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_writer="{PASSWORD}" user_stranger="{PASSWORD}";'
        return {
            "process.roles": "broker,controller",
            "node.id": self.number,
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{each['CONTROLLER']}" for n, each in shared["ports"].items()),
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in LISTENERS)]),
            "listeners": ",".join([*addresses, f"CONTROLLER://127.0.0.1:{ports['CONTROLLER']}"]),
            "advertised.listeners": ",".join(addresses),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": os.path.join(self.state, "data"),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": os.path.join(self._tls, "broker.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": os.path.join(self._tls, "ca.pem"),
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.sasl_ssl.plain.sasl.jaas.config": plain,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:writer;User:CN=sluice-test",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": min(2, replicas),
            "min.insync.replicas": min(2, replicas),
            # small, and quick to notice who is gone or has come back
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 3000,
            "log.cleaner.enable": "false",
            "num.network.threads": 2,
            "num.io.threads": 4,
        }

    def _format(self, java, properties, shared):
        """The storage of a broker is made before its first start, with the users in it."""
        if os.path.exists(os.path.join(self.state, "data", "meta.properties")):
            return
        users = [f"SCRAM-SHA-{bits}=[name={user},password={PASSWORD}]" for bits in (256, 512) for user in ("writer", "stranger")]
        options = [part for user in users for part in ("--add-scram", user)]
        command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={shared['id']}", "-c", properties, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(f"the storage of {self.name} can't be made in {self.state}: {(done.stdout + done.stderr)[-2000:]}")

    def await_start(self, process, shared):
        """It opens its listeners to the world when it has its place in the cluster."""
        address = (shared["host"], shared["ports"][str(self.number)]["PLAINTEXT"])

        def answers():
            try:
                with socket.create_connection(address, 1):
                    return True
            except OSError:
                return False

        self.await_answer(process, answers, START_SECONDS)


class Cluster:
    """The brokers below `state`; cluster.json holds what they share."""

    def __init__(self, state):
        self.state = os.path.abspath(state)
        self._path = os.path.join(self.state, "cluster.json")

    def load(self):
        try:
            with open(self._path, encoding="ascii") as kept:
                return json.load(kept)
        except FileNotFoundError:
            raise ServiceError(f"no broker was ever started in {self.state}") from None

    def brokers(self, number=None):
        """All of them, or the one."""
        known = [int(each) for each in self.load()["ports"]]
        if number is not None and number not in known:
            raise ServiceError(f"there is no broker {number} in {self.state}, only {known}")
        return [Broker(self.state, each) for each in known if number in (None, each)]

    def create(self, count, host, heap, settings):
        names = (*LISTENERS, "CONTROLLER")
        ports = {number: {name: free_port() for name in names} for number in range(1, count + 1)}
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        shared = {"id": cluster, "host": host, "heap": heap, "ports": ports, "settings": settings}
        os.makedirs(self.state, exist_ok=True)
        self._make_certificates()
        with open(self._path, "w", encoding="ascii") as out:
            json.dump(shared, out)

    def _make_certificates(self):
        folder = os.path.join(self.state, "tls")
        make_certificates(folder)
        key = openssl(folder, "pkcs8", "-topk8", "-nocrypt", "-in", "server.key")  # the one form that Java reads
        with open(os.path.join(folder, "server.pem"), "rb") as certificate, open(os.path.join(folder, "broker.pem"), "wb") as out:
            shutil.copyfileobj(certificate, out)
            out.write(key)

    def start(self, number=None):
        """Starts those that do not run, or the one; they come up together."""
        shared = self.load()
        begun = [(broker, broker.launch(shared)) for broker in self.brokers(number) if number or not broker.is_running()]
        for broker, process in begun:
            broker.await_start(process, shared)

    def addresses(self, listener):
        shared = self.load()
        return [f"{shared['host']}:{ports[listener]}" for ports in shared["ports"].values()]


# -- the command -------------------------------------------------------------------------------------


def main(arguments):
    import argparse

    parser = argparse.ArgumentParser(prog="kafka", description="Runs a real Kafka for tests.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("fetch", help="download into the cache; prints the folder")
    verb = verbs.add_parser("start", help="start, wait until it serves, print the addresses of each listener as JSON")
    verb.add_argument("--brokers", type=int, default=1, help="for the first start; so are the options below")
    verb.add_argument("--host", default="127.0.0.1")
    verb.add_argument("--heap", default=HEAP)
    verb.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="into server.properties")
    texts = {"stop": "SIGTERM, and wait", "kill": "SIGKILL, and wait", "pause": "SIGSTOP", "resume": "SIGCONT",
             "running": "exit 0 if it runs, or each of them", "addresses": "print what start prints"}  # fmt: skip
    for name, text in texts.items():
        verbs.add_parser(name, help=text)
    for name, each in verbs.choices.items():
        if name != "fetch":
            each.add_argument("state", help="directory of all files")
            each.add_argument("broker", nargs="?", type=int, help="the number of one; default: all")
    args = parser.parse_args(arguments)
    try:
        return run_verb(args)
    except ServiceError as err:
        print(f"kafka: {err}", file=sys.stderr)
        return err.code


def run_verb(args):
    if args.verb == "fetch":
        print(fetch_server())
        fetch_classes()
        return 0
    cluster = Cluster(args.state)
    if args.verb == "running":
        return 0 if all(broker.is_running() for broker in cluster.brokers(args.broker)) else 1
    if args.verb == "start":
        if not os.path.exists(os.path.join(cluster.state, "cluster.json")):
            cluster.create(args.brokers, args.host, args.heap, dict(pair.split("=", 1) for pair in args.setting))
        cluster.start(args.broker)
    elif args.verb != "addresses":
        for broker in cluster.brokers(args.broker):
            getattr(broker, args.verb)()
        return 0
    print(json.dumps({name: cluster.addresses(name) for name in LISTENERS}))
    return 0
