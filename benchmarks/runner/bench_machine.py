"""A description of the machine, so that a figure can be read by someone who does not have it."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

WANTED_FLAGS = ("sse4_2", "avx2", "avx512bw", "avx512_vbmi2", "asimd", "sve")


def proc_value(file, name):
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def first_line(command):
    """The first line a command prints; "unknown" when there is no such command."""
    if not shutil.which(command[0]):
        return "unknown"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown"


def distribution():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def describe_machine(work, agents):
    """What figures depend on. `work` is where corpora and journals lie."""
    flags = proc_value("/proc/cpuinfo", "flags").split() or proc_value("/proc/cpuinfo", "Features").split()
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": f"{proc_value('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores seen",
        "instructions": " ".join(flag for flag in WANTED_FLAGS if flag in flags),
        "frequency governor": governor.read_text().strip() if governor.exists() else "not visible",
        "memory": proc_value("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": distribution(),
        "compiler": first_line(["cc", "--version"]),
        "file system": first_line(["stat", "-f", "-c", "%T", str(work)]),
        "load before": "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg()),
        **{agent.name: agent.version() for agent in agents},
        "commit": first_line(["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]),
    }
