"""Instructions by callgrind: exact, the same on every run, and in user space only."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from bench_symbols import folder_of, show

LINE = re.compile(r"^\s*([\d,]+)\s+(?:\(\s*[\d.]+%\)\s+)?(\S+?):(.+?)(?: \[(.+)\])?$")


@dataclass
class Instructions:
    total: int = 0
    folders: Counter = field(default_factory=Counter)  # by the folder or library whose source was executed
    functions: Counter = field(default_factory=Counter)  # of ours, with what was inlined into them


def command(out):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]


def read(out, homes):
    """The instructions of a run, from callgrind's file; `homes` tells the folder of each of the agent's functions."""
    done = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--show-percs=no", str(out)],
                          capture_output=True, text=True, check=True)
    return parse(done.stdout, homes)


def parse(text, homes):
    """The same, from the output of callgrind_annotate."""
    found = Instructions()
    for line in text.splitlines():
        match = LINE.match(line)
        if match and match[3] != "function":
            count, file, function, program = int(match[1].replace(",", "")), match[2], match[3], match[4]
            found.total += count
            found.folders[folder_of(file) or library(file, program)] += count
            if function in homes:
                found.functions[show(function, homes[function])] += count
    return found


def library(file, program):
    """Whose code it is that does not come from our sources; what has no program of its own was inlined."""
    if not program:
        return "inlined from the compiler's headers" if "/gcc/" in file else "inlined from other headers"
    return program.rpartition("/")[2].partition(".so")[0]
