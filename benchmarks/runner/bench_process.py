"""The programs beside the runner: the agent under its meter, the receiver, and the folder they work in."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench_machine import proc_value

WAIT_START = 10  # seconds for the receiver to listen
WAIT_STOP = 30  # seconds from SIGTERM to the end


class RunFailed(Exception):
    """The agent or a tool did not do its work; the message says what and shows the end of its output."""


class Bench:
    """The tools and the places that all runs share."""

    def __init__(self, tools, work, cpus, timeout, stall):
        self.tools, self.work = Path(tools), Path(work)
        self.agent_cpu, self.other_cpu = cpus
        self.timeout, self.stall = timeout, stall  # seconds: of a run, and without a record
        self.wrap = []  # a profiler's command, put before that of the agent that is measured
        self.watch = nullcontext  # or what a profiler does beside the agent of this process id while it is paced

    def tool(self, name):
        return str(self.tools / name)

    @contextmanager
    def folder(self):
        """A folder for one run, empty at first and removed after it."""
        folder = self.work / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def receiver(self, folder, options):
        receiver = Receiver(self, folder, options)
        try:
            yield receiver
        finally:
            end(receiver.process)

    @contextmanager
    def agent(self, folder, command, cores=1, measured=True):
        """Starts `command` under the meter on `cores` processors; whatever happens, it has ended afterwards."""
        cpus = [self.agent_cpu, self.other_cpu][:cores]
        running = RunningAgent(self, folder, [*self.wrap, *command] if measured else command, cpus)
        try:
            yield running
        finally:
            end(running.meter)


class RunningAgent:
    """A program that sluice-measure runs."""

    def __init__(self, bench, folder, command, cpus):
        self.name, self.output, self.cost = command[0], folder / "agent.out", folder / "cost.json"
        self.started_ns = time.time_ns()
        self.cost.unlink(missing_ok=True)
        with open(self.output, "wb") as output:
            self.meter = subprocess.Popen(
                [bench.tool("sluice-measure"), "--cpus", ",".join(map(str, cpus)), "--out", str(self.cost), "--",
                 *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def pid(self):
        meter = self.meter.pid
        return int(Path(f"/proc/{meter}/task/{meter}/children").read_text().split()[0])

    def processor_seconds(self):
        """User and system seconds so far (proc(5): fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self.pid()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        """Resident memory now."""
        return int(proc_value(f"/proc/{self.pid()}/status", "VmRSS").split()[0]) * 1024

    def check_alive(self):
        if self.meter.poll() is not None:
            self.finish(WAIT_STOP)
            raise RunFailed(f"{self.name} ended by itself before it was stopped{self.last_words()}")

    def stop(self):
        """Asks it to end; returns its cost."""
        self.meter.send_signal(signal.SIGTERM)
        return self.finish(WAIT_STOP)

    def finish(self, timeout):
        """Waits for its end; returns its cost. Any end but exit code 0 in time raises RunFailed."""
        try:
            self.meter.wait(timeout)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"{self.name} did not end within {timeout} s{self.last_words()}") from None
        if not self.cost.exists():
            raise RunFailed(f"{self.name} could not be measured{self.last_words()}")
        cost = json.loads(self.cost.read_text())
        if cost["status"] != 0:
            how = f"signal {cost['signal']}" if cost["signal"] else f"exit code {cost['status']}"
            raise RunFailed(f"{self.name} ended with {how}{self.last_words()}")
        return cost

    def last_words(self, lines=15):
        """The end of its output, for an error message."""
        text = self.output.read_text(errors="replace").splitlines()
        return "".join(f"\n    {line}" for line in text[-lines:])


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
        return fetch_json(f"http://127.0.0.1:{self.port}/__stats")

    def stop(self):
        self.process.terminate()
        return json.loads(self.process.communicate(timeout=WAIT_STOP)[0])


def fetch_json(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def end(process):
    """Ends a process that this program started, and waits for it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(WAIT_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition, seconds, interval=0.01):
    """Polls until condition() holds; returns whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True
