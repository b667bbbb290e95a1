"""Time by perf: samples of the processor clock, the kernel's work told by the system call that asked for it."""

import re
import shutil
import signal
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench_symbols import show

FREQUENCY = 2000  # samples a second
FRAME = re.compile(r"^\s*[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \((.+)\)$")
CALL = re.compile(r"^(?:__x64_sys_|__arm64_sys_|__do_sys_|ksys_|__sys_|do_)")
RECORD = ["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", str(FREQUENCY)]


@dataclass
class Times:
    samples: int = 0
    places: Counter = field(default_factory=Counter)  # folder, library, or "kernel: call"
    functions: Counter = field(default_factory=Counter)  # of ours and of libraries


def trouble():
    """Why perf can't be used here; None when it can."""
    if not shutil.which("perf"):
        return "there is no perf here"
    tried = subprocess.run([*RECORD, "-o", "/dev/null", "--", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"perf does not work here: {tried.stderr.strip().partition(chr(10))[0]}"


def command(out):
    return [*RECORD, "-o", str(out), "--"]


@contextmanager
def attached(out, pid):
    """Samples a running process meanwhile."""
    perf = subprocess.Popen([*RECORD, "-o", str(out), "-p", str(pid)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait()


def read(out, homes):
    """The samples of a run; `homes` tells the folder of each of the agent's functions."""
    done = subprocess.run(["perf", "script", "-i", str(out), "-F", "ip,sym,dso"], capture_output=True, text=True,
                          check=True)
    return parse(done.stdout, homes)


def parse(text, homes):
    """The same, from the output of perf script: a block of frames a sample, the innermost first."""
    found = Times()
    for block in text.split("\n\n"):
        frames = [match.groups() for match in map(FRAME.match, block.splitlines()) if match]
        if frames:
            add(found, frames, homes)
    return found


def add(found, frames, homes):
    function, program = frames[0]
    found.samples += 1
    if "kernel" in program or program.startswith("["):
        found.places["kernel: " + kernel_work([name for name, where in frames if "kernel" in where])] += 1
        return
    library = program.rpartition("/")[2].partition(".so")[0]
    place = homes.get(function, library) if ".so" not in program else library
    found.places[place] += 1
    found.functions[library if function == "[unknown]" else show(function, place)] += 1


def kernel_work(names):
    """What the kernel was asked for: the call, or that memory was touched for the first time, or nothing: it was
    interrupted, or gave the processor to another."""
    for inner, name in zip([None, *names], names):
        if "page_fault" in name:
            return "page faults"
        if name.startswith("do_syscall") and inner and not inner.startswith("exit_to_user"):
            return CALL.sub("", inner).removesuffix("_pgoff")
    return "interrupts and switches"
