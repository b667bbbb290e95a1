"""Where the time of a row goes: a run under callgrind, another under perf where it works, and a table that holds the
parts against their limits on the machine that the design's figures are from."""

from contextlib import nullcontext

import bench_callgrind
import bench_perf
from bench_machine import describe_machine
from bench_once import run_once
from bench_report import align
from bench_symbols import read_homes

MOST = 40  # functions that are listed
SMALL = 0.002  # shares below this are left out

# A part: its name, its limit in s/GB for data on its way in and out (None: it has none), and the places that are it.
PARTS = (
    ("reading the input", 0.18, ("kernel: pread64", "kernel: read", "kernel: preadv")),
    ("finding lines, batches, checkpoints", 0.14, ("plugins/inputs/tail",)),
    ("JSON: index, time, splices", 0.43, ("agent/record", "plugins/filters/parse")),
    ("redaction", 0.3, ("plugins/filters/redact",)),
    ("zstd, level 1", 1.33, ("libzstd",)),
    ("gzip, level 1", 3.04, ("libdeflate",)),
    ("hashes", 0.05, ("libxxhash",)),
    ("journal", None, ("agent/journal", "kernel: pwrite64", "kernel: pwritev", "kernel: writev", "kernel: fdatasync",
                       "kernel: fsync", "kernel: sync_file_range")),
    ("sending over loopback", 0.25, ("kernel: sendto", "kernel: sendmsg", "kernel: recvfrom", "kernel: recvmsg",
                                     "libcurl")),
    ("requests: forming, encoding, judging", None, ("agent/delivery", "plugins/outputs", "agent/net")),
    ("memory: first touch, allocation, release", None, ("kernel: page faults", "kernel: munmap", "kernel: madvise",
                                                        "kernel: mmap", "kernel: brk")),
    ("loops and threads", None, ("agent/runtime", "agent/pipeline", "libuv", "kernel: epoll_wait", "kernel: futex",
                                 "kernel: write", "kernel: interrupts and switches")),
    ("copying, searching, allocating (libc)", None, ("libc", "libc-2")),
)


def profile_row(bench, row, agent, corpus, out):
    """Profiles one row; writes profile-<row>.md into `out` and returns its text. Raises RunFailed."""
    text = [f"# Where the time goes: {row.name}\n", f"{row.title}.\n"]
    homes = read_homes(agent.binary)
    why_not = bench_perf.trouble()
    text.append(f"No times: {why_not}.\n" if why_not else
                format_times(*sample_times(bench, row, agent, corpus, homes), row))
    if row.steady:
        text.append("No instructions: under callgrind the agent could not keep the pace.\n")
    else:
        text.append(format_instructions(count_instructions(bench, row, agent, corpus, homes), corpus.size))
    text.append("## Machine\n\n" + "".join(f"- {name}: {value}\n"
                                           for name, value in describe_machine(bench.work, [agent]).items()))
    out.mkdir(parents=True, exist_ok=True)
    (out / f"profile-{row.name}.md").write_text("\n".join(text))
    return "\n".join(text)


def count_instructions(bench, row, agent, corpus, homes):
    data = bench.work / "callgrind.out"
    bench.wrap = bench_callgrind.command(data)
    try:
        run_once(bench, row, agent, corpus)
    finally:
        bench.wrap = []
    return bench_callgrind.read(data, homes)


def sample_times(bench, row, agent, corpus, homes):
    """Samples, and the bytes of input that were read meanwhile."""
    data = bench.work / "perf.data"
    if row.steady:
        bench.watch = lambda pid: bench_perf.attached(data, pid)
    else:
        bench.wrap = bench_perf.command(data)
    try:
        figures = run_once(bench, row, agent, corpus)
    finally:
        bench.wrap, bench.watch = [], nullcontext
    return bench_perf.read(data, homes), figures["input_bytes"] if row.steady else corpus.size


def format_times(times, size, row):
    """The table of parts beside their limits, and the places and functions that the samples fell into."""
    second = bench_perf.FREQUENCY * size / 1e9  # samples that are one s/GB
    left, rows = times.places.copy(), []
    for name, limit, places in PARTS:
        mine = sum(left.pop(place, 0) for place in [place for place in left if is_part(place, places)])
        if mine >= SMALL * times.samples:
            rows.append([name, f"{mine / second:.2f}", f"{mine / times.samples:.1%}", f"{limit:g}" if limit and not row.backlog else ""])
    rows.append(["the rest", f"{left.total() / second:.2f}", f"{left.total() / times.samples:.1%}", ""])
    floor = f"{row.parts_sum:g}" if row.parts_sum else ""
    rows.append(["all", f"{times.samples / second:.2f}", "100%", floor])
    return ("## Time\n\nProcessor seconds a GB of input, sampled; the limit is what the part alone took on the machine of "
            "the design.\n\n" + align([["part", "s/GB", "share", "limit"], *rows])
            + "\n" + shares("place", times.places, times.samples, "s/GB", 1 / second)
            + "\n" + shares("function", times.functions, times.samples, "s/GB", 1 / second))


def is_part(place, names):
    return any(place == name or place.startswith(name + "/") for name in names)


def format_instructions(found, size):
    return ("## Instructions\n\nInstructions a byte of input in user space, by the folder whose source it is, and by function "
            "with what is inlined into it.\n\n"
            + shares("folder or library", found.folders, found.total, "a byte", 1 / size)
            + "\n" + shares("function", found.functions, found.total, "a byte", 1 / size))


def shares(heading, counts, total, unit, scale):
    ranked = sorted(counts.items(), key=lambda item: -item[1])[:MOST]
    rows = [[name, f"{count / total:.1%}", f"{count * scale:.3f}"] for name, count in ranked if count >= SMALL * total]
    return align([[heading, "share", unit], *rows])
