"""One scenario: a folder, the things started in it, and their end."""

import fcntl
import os
import shutil
import socket
import sys
import tempfile
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor

from . import ledger as ledgers
from .agent import Agent
from .applications import Application
from .checks import assert_exactly, assert_none_lost
from .fake_logs import Credentials, FakeLogs
from .kafka import Kafka
from .moto import Moto
from .network import Network, NoNetwork
from .services import FileIndex, MissingTool, Receiver, SearchNode
from .writer import LogWriter

SKIP = 77
QUIET_SECONDS = 1.0
LOG_LINES_SHOWN = 40


class Skip(Exception):
    """This machine can't run the scenario; the reason."""


class TimeUp(AssertionError):
    """What the scenario waited for did not happen."""


class Scenario:
    def __init__(self, name):
        self.name = name
        self.dir = tempfile.mkdtemp(prefix=f"sluice-{name}-")
        os.chmod(self.dir, 0o755)  # the search node may run as another user
        self._things = []
        self.agents = []

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def skip(self, reason):
        raise Skip(reason)

    def need(self, tool, package):
        """Skips unless the tool is installed."""
        found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        return found or self.skip(f"{tool} is not installed; install {package}")

    def wait(self, condition, what, seconds=60, every=0.05):
        """Waits until condition(), asked `every` so often, is true, and returns its value; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            for agent in self.agents:
                if agent.process:
                    agent.check_alive()
            if time.monotonic() > deadline:
                raise TimeUp(f"not within {seconds} s: {what}")
            time.sleep(every)
        return value

    # -- things to start -----------------------------------------------------------------------

    def _own(self, thing):
        self._things.append(thing)
        return thing

    def log(self, name, kind=LogWriter, **options):
        return self._own_writer(kind(self.path("logs", name), **options))

    def _own_writer(self, writer):
        writer.clean_up = writer.close
        return self._own(writer)

    def receiver(self, *steps, **options):
        number = sum(isinstance(thing, Receiver) for thing in self._things)
        return self._own(Receiver(self.path(f"receiver{number}"), steps, **options))

    def index(self, own=False):
        """Where records go: a new index of a real OpenSearch, one that scenarios share unless `own`.
        $SLUICE_E2E_INDEX chooses instead: opensearch | elasticsearch | receiver | file."""
        product = os.environ.get("SLUICE_E2E_INDEX", "opensearch")
        if product == "receiver":
            return self.receiver()
        if product == "file":
            return self.skip("a file can't go away and come back") if own else self._own(FileIndex(self.path("out")))
        return self._server(product, own, lambda state, shared: SearchNode(product, state, f"t-{uuid.uuid4().hex}", shared))

    def kafka(self, own=False, **options):
        """A topic, to be created, of a real Kafka: of the one broker that scenarios share unless `own`.
        `options`: see Kafka; they make it our own."""
        return self._server("kafka", own or bool(options), lambda state, shared: Kafka(state, f"t-{uuid.uuid4().hex}", shared, **options))

    def moto(self):
        """CloudWatch Logs, as moto plays it."""
        try:
            return self._own(Moto(self.path("moto")))
        except MissingTool as err:
            raise Skip(str(err)) from err

    def credentials(self, life):
        """Credentials of AWS that end after so many seconds."""
        return self._own(Credentials(life))

    def fake_logs(self, *arguments, **options):
        """CloudWatch Logs, as the scenario wants it."""
        return self._own(FakeLogs(*arguments, **options))

    def _server(self, name, own, start):
        """What start(state, shared) gives; only one test at a time starts a server that is shared."""
        shared = os.environ.get("SLUICE_E2E_SHARED")
        state = self.path(f"{name}{len(self._things)}") if own or not shared else os.path.join(shared, name)
        os.makedirs(state, exist_ok=True)
        try:
            with open(state + ".lock", "w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return self._own(start(state, not own and bool(shared)))
        except MissingTool as err:
            raise Skip(str(err)) from err

    def application(self, kind, **options):
        """Starts a program that logs through winston or loguru, into logs/."""
        reason = Application.install(kind)
        if reason:
            self.skip(reason)
        return self._own(Application(kind, self.path("logs"), self.path("secrets"), **options))

    def network(self):
        """A network for an agent that can be cut from the machine's."""
        try:
            return self._own(Network())
        except NoNetwork as err:
            raise Skip(str(err)) from err

    def agent(self, config, start=True, name="agent", unprivileged=False, network=None):
        port = int(config["service"]["http"].rsplit(":", 1)[1])
        agent = self._own(Agent(self.path(name), config, port, unprivileged, network))
        self.agents.append(agent)
        return agent.start() if start else agent

    # -- configurations ------------------------------------------------------------------------

    def service(self, name="agent", **more):
        return {"data_dir": self.path(name, "data"), "http": f"127.0.0.1:{free_port()}", "log": {"level": "info"}, **more}

    def main_job(self, index, path, filters=None, tail=None, output=None, buffer=None, service=None):
        """The main job's configuration: tail -> JSON -> redact -> journal on disk -> Elasticsearch, or what `index` is.
        The keyword arguments add to, or for `filters` and `buffer` replace, what stands here."""
        tail = {"path": [path] if isinstance(path, str) else path, "read_from": "start", **(tail or {})}
        output = index.output(output or {}) if isinstance(index, (FileIndex, Kafka, Moto, FakeLogs)) else elasticsearch_output(index, output or {})
        if filters is None:
            filters = [{"parse": {"format": "json", "time": {"field": "timestamp"}}}, {"redact": {}}]
        pipeline = {
            "inputs": [{"tail": tail}],
            "filters": filters,
            "outputs": [output],
            "buffer": buffer or {"max_size": "1GiB", "fsync": "1s", "when_full": "block"},
        }
        return {"service": self.service(**(service or {})), "pipelines": {"main": pipeline}}

    # -- the question --------------------------------------------------------------------------

    def settled(self, agent, seconds=60, stuck=0):
        """Waits until nothing moves: no record is on its way (but `stuck`, when the index is away) and none
        came in for a while. Then the ledger must balance; returns it."""
        seen = {"received": -1, "since": time.monotonic()}

        def quiet():
            now = agent.ledger()
            received = ledgers.total(now, "received", "delivered", "dead_lettered")
            if received != seen["received"] or ledgers.on_their_way(now) != stuck:
                seen.update(received=received, since=time.monotonic())
            return now if time.monotonic() - seen["since"] >= QUIET_SECONDS else None

        ledger = self.wait(quiet, f"all but {stuck} of the records read are delivered", seconds)
        ledgers.assert_balanced(ledger)
        return ledger

    def arrived(self, index, count, seconds=60):
        self.wait(lambda: index.count() >= count, f"{count} records are in the index", seconds, every=0.2)

    def delivered_exactly(self, agent, index, *writers, numbers=(), seconds=60):
        """The question of most scenarios: the index holds every record of the writers, and those with
        `numbers`, once, and the agent's ledger balances. Returns the ledger."""
        expected = [n for writer in writers for n in writer.numbers] + list(numbers)
        try:
            self.arrived(index, len(expected), seconds)
        except TimeUp:
            assert_exactly(index.docs(), expected)  # which says more
            raise
        ledger = self.settled(agent, seconds)
        assert_exactly(index.docs(), expected)
        assert ledgers.total(ledger, "dropped") == 0, f"the agent dropped records: {ledger}"
        assert ledgers.total(ledger, "dead_lettered") == 0, f"the agent dead-lettered records: {ledger}"
        return ledger

    def delivered_at_least_once(self, agent, kafka, *writers, seconds=60):
        """The same where a record that was sent again is there twice: under the same id. Returns how many are."""
        expected = [n for writer in writers for n in writer.numbers]
        self.arrived(kafka, len(expected), seconds)
        ledger = self.settled(agent, seconds)
        doubled = assert_none_lost(kafka.identified(), expected)
        assert ledgers.total(ledger, "dropped", "dead_lettered") == 0, f"the agent dropped or dead-lettered records: {ledger}"
        return doubled

    # -- the end -------------------------------------------------------------------------------

    def clean_up(self, passed):
        for thing in reversed(self._things):
            try:
                thing.clean_up()
            except Exception:  # the other things still have to be ended
                traceback.print_exc()
        if passed or not os.environ.get("SLUICE_E2E_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"kept: {self.dir}")

    def show_logs(self):
        for agent in self.agents:
            try:
                print("-- the ledger:", agent.get("/api/v1/ledger").decode("utf-8", "replace"))
            except OSError as err:
                print(f"-- no ledger: {err}")
            lines = agent.log_text().splitlines()[-LOG_LINES_SHOWN:]
            print(f"-- the end of {agent.log_path}:", *lines, sep="\n   ")


def elasticsearch_output(index, more):
    common = {"url": [index.url], "index": getattr(index, "index", "logs"), "retry": {"initial": "100ms", "max": "1s"}}
    return {"elasticsearch": {**common, **more}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_one(function):
    """None if it passed, or the exit code."""
    sc = Scenario(function.__name__)
    passed, begun = False, time.monotonic()
    try:
        function(sc)
        passed = True
        print(f"ok   {function.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
        return None
    except Skip as skip:
        print(f"skip {function.__name__}: {skip}", flush=True)
        return SKIP
    except Exception as err:
        traceback.print_exc()
        sc.show_logs()
        print(f"FAIL {function.__name__}: {err}", flush=True)
        return 1
    finally:
        sys.stderr.flush()
        sc.clean_up(passed)


def run(*functions, at_once=1):
    """Runs scenario functions, so many at a time, and exits: 1 if any failed, 77 if any was skipped, else 0."""
    wanted = [f for f in functions if not sys.argv[1:] or f.__name__ in sys.argv[1:]]
    with ThreadPoolExecutor(at_once) as pool:
        codes = list(pool.map(run_one, wanted))
    sys.exit(1 if 1 in codes else SKIP if SKIP in codes else 0)
