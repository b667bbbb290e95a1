"""Which folder of the sources each function of the agent is from, by its debug information."""

import re
import subprocess

OURS = re.compile(r"(?:^|/)((?:agent|plugins)/(?:[\w-]+/)*)[\w.-]+(?::\d+)?$")
SUFFIX = re.compile(r"\.(?:part|isra|constprop|lto_priv|cold)\b.*")


def folder_of(file):
    """The folder of a source file, from the top of the sources on; None for one that is not ours."""
    match = OURS.search(file)
    return match[1].rstrip("/") if match else None


def read_homes(program):
    """Function, as the linker calls it -> folder."""
    done = subprocess.run(["nm", "-l", "--defined-only", str(program)], capture_output=True, text=True, check=True)
    return parse_homes(done.stdout)


def parse_homes(text):
    homes = {}
    for line in text.splitlines():
        symbol, _, place = line.partition("\t")
        if folder_of(place):
            homes[symbol.split()[2]] = folder_of(place)
    return homes


def show(function, home):
    """How a function is listed: without what the compiler added to its name."""
    return f"{SUFFIX.sub('', function)} ({home})"
