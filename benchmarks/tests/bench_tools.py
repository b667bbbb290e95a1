"""What the tests of the benchmark tools share: finding the tools, running them, talking to a receiver."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ["BENCH_TOOLS"])
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCHMARKS / "runner"))


def tool(name, *arguments, check=True):
    """Runs a tool to its end; returns the finished process with its text output."""
    return subprocess.run([str(TOOLS / name), *map(str, arguments)], check=check, capture_output=True, text=True,
                          timeout=120)


class ToolTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def corpus(self, kind="winston", size=1_000_000, seed=1, name="corpus.log", *more):
        path = self.folder / name
        made = json.loads(tool("sluice-corpus", "--kind", kind, "--bytes", size, "--seed", seed, *more, path).stdout)
        return path, made


class RunningReceiver:
    """A sluice-receiver on a free port, ended with the test."""

    def __init__(self, test, *options):
        port_file = test.folder / "receiver.port"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen([str(TOOLS / "sluice-receiver"), "--port-file", str(port_file), *options],
                                        stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.stop)
        deadline = time.monotonic() + 10
        while not port_file.exists():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError("the receiver does not listen")
            time.sleep(0.01)
        self.port = int(port_file.read_text())
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def request(self, method, path, body=None, headers=None):
        """Returns (status, headers, body)."""
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def bulk(self, body, query="", **headers):
        """Posts a bulk body; returns (status, parsed answer)."""
        status, _, answer = self.request("POST", "/_bulk" + query, body, headers)
        return status, json.loads(answer)

    def stats(self):
        return json.loads(self.request("GET", "/__stats")[2])

    def stop(self):
        """Ends the receiver; returns the counts it prints, or None when it has ended already."""
        if self.process.poll() is not None:
            return None
        self.connection.close()
        self.process.terminate()
        return json.loads(self.process.communicate(timeout=10)[0])


def bulk_body(numbers, action="create"):
    """A body with one small document a number."""
    lines = []
    for n in numbers:
        lines.append(json.dumps({action: {"_index": "logs", "_id": f"id-{n}"}}))
        lines.append(json.dumps({"message": "x", "n": n}, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()
