"""What the agent delivers to: a real search server, or the scripted receiver. Both have

  url       where the agent sends to
  docs()    all documents, as dicts       count()   how many there are
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

SERVICES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "services"))
PAGE = 5000
TEST_MARK = "SLUICE_TEST_ID"  # the runner ends what carries it when the test ends; a shared node has to stay


class ServiceError(AssertionError):
    pass


class MissingTool(Exception):
    """A service needs a tool that this machine lacks."""


def run_service(name, verb, state, *more, shared=False):
    """Runs tests/services/NAME and returns what it prints. What it starts stays after the test if `shared`."""
    environment = {name: value for name, value in os.environ.items() if not (shared and name == TEST_MARK)}
    done = subprocess.run([sys.executable, os.path.join(SERVICES, name), verb, state, *more],
                          env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode == 77:
        raise MissingTool(done.stderr.strip())
    if done.returncode:
        raise ServiceError(done.stderr.strip())
    return done.stdout.strip()


def is_service_running(name, state):
    done = subprocess.run([sys.executable, os.path.join(SERVICES, name), "running", state], stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def fetch(url, data=None, method=None, seconds=60):
    """A server that is too busy to answer (429) is asked again for so long."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.read()
        except urllib.error.HTTPError as err:
            if err.code != 429 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


class Receiver:
    """tests/services/receiver, as a process of its own. `options` are its command-line options:
    Receiver(dir, max_body=1000, tls="server", require_client=True)."""

    def __init__(self, state, steps=(), **options):
        self.state = state
        self.options = options
        self.process = None
        self.port = 0
        self.control_port = 0
        os.makedirs(state, exist_ok=True)
        self.start()
        self.script(*steps)

    def _command(self):
        command = [sys.executable, os.path.join(SERVICES, "receiver"), "--state", self.state, "--port", str(self.port)]
        command += ["--control-port", str(self.control_port), "--docs", os.path.join(self.state, "docs")]
        for name, value in self.options.items():
            option = "--" + name.replace("_", "-")
            command += [option] if value is True else [option, str(value)]
        return command

    def start(self):
        """Starts it; again, after stop(), with the same port and the same documents."""
        port_file = os.path.join(self.state, "port")
        if os.path.exists(port_file):
            os.unlink(port_file)
        self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not os.path.exists(port_file):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError("the receiver did not start")
            time.sleep(0.01)
        self.port, self.control_port = (int(self._state(name)) for name in ("port", "control_port"))

    def _state(self, name):
        with open(os.path.join(self.state, name), encoding="ascii") as source:
            return source.read()

    @property
    def url(self):
        return f"{'https' if 'tls' in self.options else 'http'}://{self.options.get('host', '127.0.0.1')}:{self.port}"

    def control(self, what, data=None):
        return fetch(f"http://127.0.0.1:{self.control_port}/__{what}", data)

    def script(self, *steps, **more):
        """Replaces the script: Receiver.script({"status": 503, "count": 3}, {"how": "reset"})."""
        try:
            self.control("script", {"steps": list(steps), **more})
        except urllib.error.HTTPError as err:
            raise ServiceError(f"the receiver refuses the script: {err.read().decode()}") from err

    def stats(self):
        return json.loads(self.control("stats"))

    def requests(self):
        return json.loads(self.control("requests"))

    def raw_docs(self):
        """All documents as NDJSON, with the bytes that came."""
        return self.control("docs")

    def docs(self):
        return [json.loads(line)["_source"] for line in self.raw_docs().splitlines()]

    def count(self):
        return self.stats()["docs"]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    clean_up = stop


class FileIndex:
    """The agent's own `file` output, in a search server's place. A file knows no ids, so what is sent
    again after a kill stands in it twice."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o777)  # for an agent that runs as nobody

    def output(self, more):
        """The agent's output that delivers here; what `more` says to a search server means nothing to a file."""
        return {"file": {"path": os.path.join(self.folder, "out.ndjson")}}

    def raw_docs(self):
        data = b""
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name), "rb") as source:
                data += source.read()
        return data

    def docs(self):
        return [json.loads(line) for line in self.raw_docs().split(b"\n")[:-1]]

    def count(self):
        return self.raw_docs().count(b"\n")

    def clean_up(self):
        return  # the folder is the scenario's


class SearchNode:
    """A real OpenSearch or Elasticsearch. The state directory may be shared with other scenarios, and
    is then not ours to stop; `index` is ours alone."""

    def __init__(self, product, state, index, shared=False):
        self.product = product
        self.state = state
        self.index = index
        self.shared = shared
        running = shared and is_service_running(product, state)
        self.url = self._run("url" if running else "start")

    def _run(self, verb):
        return run_service(self.product, verb, self.state, shared=self.shared)

    def start(self):
        self._run("start")

    def stop(self):
        self._run("stop")

    def kill(self):
        self._run("kill")

    def count(self):
        try:
            fetch(f"{self.url}/{self.index}/_refresh", method="POST")
            return json.loads(fetch(f"{self.url}/{self.index}/_count"))["count"]
        except urllib.error.HTTPError as err:
            if err.code == 404:
                return 0  # nothing was delivered yet
            raise

    def docs(self):
        """Every document, page by page, in the order of its shard."""
        self.count()
        query = {"size": PAGE, "sort": ["_doc"], "query": {"match_all": {}}}
        page = json.loads(fetch(f"{self.url}/{self.index}/_search?scroll=1m", query))
        while page["hits"]["hits"]:
            yield from (hit["_source"] for hit in page["hits"]["hits"])
            page = json.loads(fetch(f"{self.url}/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]}))
        if "_scroll_id" in page:  # a pattern that no index matches opens none
            fetch(f"{self.url}/_search/scroll", {"scroll_id": page["_scroll_id"]}, method="DELETE")

    def raw_docs(self):
        return "\n".join(json.dumps(doc, ensure_ascii=False) for doc in self.docs()).encode()

    def clean_up(self):
        if not self.shared:
            self.kill()
            return
        try:
            fetch(f"{self.url}/{self.index}", method="DELETE")
        except urllib.error.HTTPError as err:
            if err.code != 404:
                raise
