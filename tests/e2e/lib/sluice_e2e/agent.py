"""The agent under test: its configuration, its process, its admin pages."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

START_SECONDS = 20
STOP_SECONDS = 60
NOBODY = 65534
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer")


class AgentError(AssertionError):
    """The agent did something no scenario may accept: it ended by itself, or a sanitizer spoke."""


ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", ".."))


def find_binary(variable="SLUICE_BIN", kind="release"):
    """The sluice to test: $SLUICE_BIN, else the release build."""
    path = os.environ.get(variable) or os.path.join(ROOT, "build", kind, "sluice")
    if not os.access(path, os.X_OK):
        raise AgentError(f"no agent at {path}: run ./dev build {kind}, or set {variable}")
    return path


def find_fault_binary():
    """One with fault points (sluice/fault.h): $SLUICE_FAULT_BIN, else the build with the address sanitizer."""
    return find_binary("SLUICE_FAULT_BIN", "asan")


class Agent:
    """One configuration and one data_dir; started and stopped as often as a scenario likes."""

    def __init__(self, folder, config, http_port, unprivileged=False, network=None):
        """`unprivileged`: when the tests run as root, run the agent as nobody, for whom permissions count.
        `network`: a Network in which it runs."""
        self.folder = folder
        self._unprivileged = unprivileged and os.geteuid() == 0
        self.config = config
        self._network = network
        self._host = network.inside if network else "127.0.0.1"
        self.http_port = http_port
        config["service"]["http"] = f"{self._host}:{http_port}"
        self.process = None
        self._lives = False
        self.config_path = os.path.join(folder, "sluice.yaml")
        self.log_path = os.path.join(folder, "agent.log")
        os.makedirs(folder, exist_ok=True)
        self.write_config()

    @property
    def data_dir(self):
        return self.config["service"]["data_dir"]

    def write_config(self):
        """JSON is YAML too, and can't be indented wrongly."""
        with open(self.config_path, "w", encoding="utf-8") as out:
            json.dump(self.config, out, indent=2)

    # -- the process ---------------------------------------------------------------------------

    def start(self, wait=True, binary=None, environment=None):
        """`binary`: another than find_binary(). `environment`: variables added to ours."""
        assert self.process is None, "the agent is running already"
        command = self._command(binary or find_binary())
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        self._lives = wait
        if wait:
            self._await_live()
        return self

    def _command(self, binary):
        command = [binary, "run", "-c", self.config_path]
        if self._network:
            return self._network.command(command)
        if not self._unprivileged:
            return command
        os.makedirs(self.data_dir, exist_ok=True)
        os.chown(self.data_dir, NOBODY, NOBODY)
        command[0] = shutil.copy(command[0], os.path.join(self.folder, "sluice"))  # build/ may be closed to nobody
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]

    def _await_live(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                self.get("/live")
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise AgentError(f"the agent's /live did not answer 200 within {START_SECONDS} s")

    def check_alive(self):
        code = self.process.poll() if self.process else None
        if code is not None:
            self.process = None
            raise AgentError(f"the agent ended by itself with {code}")
        self.check_sanitizers()

    def check_sanitizers(self):
        said = SANITIZER.search(self.log_text())
        if said:
            raise AgentError(f"a sanitizer spoke in the agent's log: {said.group(0)}")

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM; the agent must end by itself, in time and with 0. Before it listens to signals nothing has begun."""
        if not self._lives:
            self._await_live()
        code = self._end(signal.SIGTERM, seconds)
        if code != 0:
            raise AgentError(f"after SIGTERM the agent ended with {code} instead of 0")
        self.check_sanitizers()

    def kill(self):
        """kill -9."""
        self._end(signal.SIGKILL, 10)

    def await_kill(self, seconds):
        """Waits for the end at the fault point that it was started with; it must be as by kill -9."""
        process, self.process = self.process, None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AgentError(f"the agent did not come to its fault point within {seconds} s") from None
        if code != -signal.SIGKILL:
            raise AgentError(f"the agent ended with {code} instead of at its fault point")
        self.check_sanitizers()

    def _end(self, number, seconds):
        self.check_alive()
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AgentError(f"the agent still ran {seconds} s after signal {number}") from None

    @contextlib.contextmanager
    def paused(self):
        """SIGSTOP for the length of a block: whatever happens in it is faster than the reader."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def clean_up(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def command(self, *arguments, seconds=60, check=True):
        """Runs `sluice <arguments>` to its end; returns its stdout as bytes. With check=False, the
        finished process instead."""
        done = subprocess.run([find_binary(), *arguments], capture_output=True, timeout=seconds, check=False)
        if not check:
            return done
        said = done.stderr.decode("utf-8", "replace")
        assert done.returncode == 0, f"sluice {' '.join(arguments)} ended with {done.returncode}: {said}"
        return done.stdout

    def once(self, seconds=120):
        """`sluice run --once`: everything is read, delivered and summed up. Returns stdout and stderr."""
        done = self.command("run", "-c", self.config_path, "--once", seconds=seconds, check=False)
        with open(self.log_path, "ab") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0, f"run --once ended with {done.returncode}"
        self.check_sanitizers()
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def peak_memory(self):
        """The most bytes that were resident at any time."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as source:
            return next(int(line.split()[1]) for line in source if line.startswith("VmHWM")) * 1024

    # -- what it says --------------------------------------------------------------------------

    def get(self, path):
        with urllib.request.urlopen(f"http://{self._host}:{self.http_port}{path}", timeout=10) as answer:
            return answer.read()

    def page(self, path):
        """What a page says, whatever its status: /ready answers 503 while an output can't deliver."""
        try:
            return self.get(path)
        except urllib.error.HTTPError as err:
            return err.read()

    def ledger(self):
        return json.loads(self.get("/api/v1/ledger"))

    def metrics(self):
        """/metrics as a dict: 'name{labels}' -> number."""
        values = {}
        for line in self.get("/metrics").decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def metric(self, name):
        """A metric summed over its labels; 0 if it is not there."""
        return sum(value for key, value in self.metrics().items() if key.split("{")[0] == name)

    def log_text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""
