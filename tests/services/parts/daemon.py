"""A server process of a test, known by what is noted in a folder: any later command can ask for it, or end it.

  state.json  pid, when the process began, and what its next start needs     out  what it prints
"""

import json
import os
import signal
import socket
import subprocess
import time

from .maven import ServiceError

STOP_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_stat(pid):
    """The fields of /proc/PID/stat after the name; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_over(fields):
    """Gone, or a zombie of which all threads have ended: whose parent is late to ask for it."""
    return fields is None or (fields[0] == "Z" and int(fields[17]) <= 1)


def start_time(pid):
    """When the process began, in ticks; tells a process from a later one with the same id.  None if it is over."""
    fields = read_stat(pid)
    return None if is_over(fields) else int(fields[19])


def group_alive(pgid):
    """Whether any process of the group is not over."""
    stats = (read_stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return any(fields and int(fields[2]) == pgid and not is_over(fields) for fields in stats)


class Daemon:
    """A process whose files are in `state`; `name` is for messages."""

    def __init__(self, name, state):
        self.name = name
        self.state = os.path.abspath(state)
        self._path = os.path.join(self.state, "state.json")

    def load(self):
        try:
            with open(self._path, encoding="ascii") as kept:
                return json.load(kept)
        except FileNotFoundError:
            return {}

    def log_path(self):
        return os.path.join(self.state, "out")

    def is_running(self):
        kept = self.load()
        return bool(kept.get("pid")) and start_time(kept["pid"]) == kept["ticks"]

    def spawn(self, command, environment, folder, **kept):
        """Starts it in a session of its own; `kept` is what the next start needs."""
        with open(self.log_path(), "ab") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       start_new_session=True, cwd=folder)  # fmt: skip
        with open(self._path + ".new", "w", encoding="ascii") as out:
            json.dump({"pid": process.pid, "ticks": start_time(process.pid), **kept}, out)
        os.rename(self._path + ".new", self._path)
        return process

    def await_answer(self, process, answers, seconds):
        """Waits until answers() is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServiceError(f"{self.name} ended with {process.returncode} while starting; its output ends:\n{self._tail()}")
            if answers():
                return
            time.sleep(0.1)
        self.kill()
        raise ServiceError(f"{self.name} did not answer within {seconds} s; its output ends:\n{self._tail()}")

    def _tail(self, lines=25):
        with open(self.log_path(), encoding="utf-8", errors="replace") as out:
            return "".join(out.readlines()[-lines:])

    def stop(self):
        self._end(signal.SIGTERM, STOP_SECONDS)

    def kill(self):
        self._end(signal.SIGKILL, STOP_SECONDS)

    def pause(self):
        """It stands still, and its connections stay."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        if not self.is_running():
            raise ServiceError(f"{self.name} does not run in {self.state}; start it first")
        os.killpg(self.load()["pid"], number)

    def _end(self, number, seconds):
        """Signals the process started here (all of its session for SIGKILL: Elasticsearch's launcher
        has the server as its child) and waits until it is gone."""
        kept = self.load()
        if not self.is_running():
            return
        if number == signal.SIGKILL:
            os.killpg(kept["pid"], number)
        else:
            os.kill(kept["pid"], number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not group_alive(kept["pid"]):
                return
            time.sleep(0.05)
        if number == signal.SIGKILL:
            raise ServiceError(f"process {kept['pid']} is still there {seconds} s after SIGKILL")
        self._end(signal.SIGKILL, seconds)
