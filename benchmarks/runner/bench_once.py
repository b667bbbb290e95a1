"""One run of one agent on one row: receiver on one processor, agent on another, and what both say afterwards."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from bench_agents import Place

WAIT_START = 10  # seconds for the receiver to listen
WAIT_DRAIN = 10  # seconds for paced records still on their way
WAIT_STOP = 30  # seconds from SIGTERM to the end
WARM_UP = 2  # seconds a paced agent gets to start before it is measured


class RunFailed(Exception):
    """The agent or a tool did not do its work; the message says what and shows the end of its output."""


class Bench:
    """The tools and the places that all runs share."""

    def __init__(self, tools, work, cpus, timeout):
        self.tools, self.work = Path(tools), Path(work)
        self.agent_cpu, self.other_cpu = cpus
        self.timeout = timeout

    def tool(self, name):
        return str(self.tools / name)

    def make_corpus(self, kind, size, seed):
        """Writes the corpus and its canaries once; returns (path, canaries, records, bytes). Leaves it in the cache."""
        path = self.work / f"{kind}-{size}-{seed}.log"
        canaries = path.with_suffix(".canaries")
        made = subprocess.run(
            [self.tool("sluice-corpus"), "--kind", kind, "--bytes", str(size), "--seed", str(seed),
             "--canaries", str(canaries), str(path)],
            check=True, capture_output=True, text=True)
        said = json.loads(made.stdout)
        return path, canaries, said["records"], said["bytes"]

    def run(self, row, agent, corpus, check_secrets=False):
        """Runs the row to the end of its corpus. Returns the measured figures; raises RunFailed."""
        path, canaries, records, size = corpus
        options = ["--check", str(records), "--number", row.number]
        if check_secrets:
            options += ["--canaries", str(canaries)]
        with self._folder() as folder, self._receiver(folder, options) as receiver:
            command = agent.command(row, Place(folder, path, receiver.port))
            cost = self._measure(folder, command)
            return figures(cost, receiver.stop(), size)

    def run_paced(self, row, agent):
        """Runs the agent beside a writer of steady pace. Returns the measured figures; raises RunFailed."""
        with self._folder() as folder, self._receiver(folder, ["--latency"]) as receiver:
            corpus = folder / "paced.log"
            corpus.touch()
            command = agent.command(row, Place(folder, corpus, receiver.port))
            measured = self._start_measured(folder, command)
            try:
                time.sleep(WARM_UP)
                self._check_alive(folder, measured, command)
                process = agent_process(measured.pid)
                before, started = processor_seconds(process), time.monotonic()
                paced = self._pace(row, corpus)
                self._check_alive(folder, measured, command)
                used, lasted = processor_seconds(process) - before, time.monotonic() - started
                wait_until(lambda: receiver.stats()["unique"] >= paced["records"], WAIT_DRAIN)
                measured.send_signal(signal.SIGTERM)
                cost = self._finish(folder, measured, command, WAIT_STOP)
            finally:
                end(measured)
            said = receiver.stop()
            said["missing"] = paced["records"] - said["unique"]
            result = figures(cost, said, paced["bytes"])
            result["cpu_percent"] = 100 * used / lasted
            result["p50_ms"] = said["latency_ns"]["p50"] / 1e6
            result["p99_ms"] = said["latency_ns"]["p99"] / 1e6
            result["max_ms"] = said["latency_ns"]["max"] / 1e6
            result["writer_late_ms"] = paced["worst_late_ms"]
            return result

    @contextmanager
    def _folder(self):
        folder = self.work / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _receiver(self, folder, options):
        receiver = Receiver(self, folder, options)
        try:
            yield receiver
        finally:
            end(receiver.process)

    def _pace(self, row, corpus):
        done = subprocess.run(
            ["taskset", "-c", str(self.other_cpu), self.tool("sluice-pacer"), "--rate", row.steady["rate"],
             "--seconds", str(row.steady["seconds"]), str(corpus)],
            check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def _start_measured(self, folder, command):
        with open(folder / "agent.out", "wb") as output:
            return subprocess.Popen(
                [self.tool("sluice-measure"), "--cpus", str(self.agent_cpu), "--out", str(folder / "cost.json"),
                 "--", *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def _check_alive(self, folder, measured, command):
        if measured.poll() is not None:
            self._finish(folder, measured, command, WAIT_STOP)
            raise RunFailed(f"{command[0]} ended by itself before it was stopped{tail(folder)}")

    def _finish(self, folder, measured, command, timeout):
        try:
            measured.wait(timeout)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"{command[0]} did not end within {timeout} s{tail(folder)}") from None
        if not (folder / "cost.json").exists():
            raise RunFailed(f"{command[0]} could not be measured{tail(folder)}")
        cost = json.loads((folder / "cost.json").read_text())
        if cost["status"] != 0:
            how = f"signal {cost['signal']}" if cost["signal"] else f"exit code {cost['status']}"
            raise RunFailed(f"{command[0]} ended with {how}{tail(folder)}")
        return cost

    def _measure(self, folder, command):
        measured = self._start_measured(folder, command)
        try:
            return self._finish(folder, measured, command, self.timeout)
        finally:
            end(measured)


class Receiver:
    """A running sluice-receiver."""

    def __init__(self, bench, folder, options):
        port_file = folder / "port"
        self.process = subprocess.Popen(
            ["taskset", "-c", str(bench.other_cpu), bench.tool("sluice-receiver"), "--port-file", str(port_file),
             *options],
            stdout=subprocess.PIPE, text=True)
        if not wait_until(port_file.exists, WAIT_START):
            end(self.process)
            raise RunFailed("sluice-receiver did not start to listen")
        self.port = int(port_file.read_text())

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__stats", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        return json.loads(self.process.communicate(timeout=WAIT_STOP)[0])


def figures(cost, said, size):
    """What a run is judged by, from the meter's and the receiver's reports; `size` is the input in bytes."""
    cpu = cost["user_seconds"] + cost["system_seconds"]
    return {
        "cpu_s_per_gb": cpu / size * 1e9,
        "mb_per_s": size / cost["wall_seconds"] / 1e6,
        "peak_mb": cost["peak_bytes"] / 1e6,
        "lost": said["missing"],
        "doubled": said["doubled"],
        "spoiled": said["unexpected"] + said["unnumbered"] + said["malformed"],
        "secrets": said["canaries"],
        "receiver_s_per_gb": said["cpu_seconds"] / size * 1e9,
        "user_seconds": cost["user_seconds"],
        "system_seconds": cost["system_seconds"],
        "requests": said["requests"],
        "wire_mb": said["wire_bytes"] / 1e6,
    }


def end(process):
    """Ends a process that this program started, and waits for it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(WAIT_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition, seconds):
    """Polls until condition() holds; returns whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def agent_process(meter):
    """The process id of the program that sluice-measure runs."""
    return int(Path(f"/proc/{meter}/task/{meter}/children").read_text().split()[0])


def processor_seconds(process):
    """User and system seconds of a process so far (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tail(folder, lines=15):
    """The end of the agent's output, for an error message."""
    text = (folder / "agent.out").read_text(errors="replace").splitlines()
    return "".join(f"\n    {line}" for line in text[-lines:])
