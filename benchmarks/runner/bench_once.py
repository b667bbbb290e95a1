"""One run of one agent on one row: receiver on one processor, agent on another, and what both say afterwards.

A row is run to the end of its corpus, beside a writer of steady pace, with nothing to do, or over a journal that was
filled before. Every function here returns the measured figures, or raises RunFailed."""

import json
import socket
import subprocess
import time

from bench_agents import Place
from bench_process import RunFailed, fetch_json, wait_until

WAIT_DRAIN = 10  # seconds for paced records still on their way
WARM_UP = 2  # seconds a paced agent gets to start before it is measured
SETTLE = 3  # seconds an idle agent gets after its last record was delivered


def run_once(bench, row, agent, corpus, check_secrets=False):
    """Runs the row as its kind asks."""
    if row.steady:
        return run_paced(bench, row, agent)
    if row.idle_seconds:
        return run_idle(bench, row, agent, corpus)
    if row.backlog:
        return run_backlog(bench, row, agent, corpus)
    return run_to_end(bench, row, agent, corpus, check_secrets)


def run_to_end(bench, row, agent, corpus, check_secrets=False):
    options = ["--check", str(corpus.records), "--number", row.number]
    if check_secrets:
        options += ["--canaries", str(corpus.canaries)]
    with bench.folder() as folder, bench.receiver(folder, options) as receiver:
        command = agent.command(row, Place(folder, corpus.pattern(), receiver.port))
        with bench.agent(folder, command, row.cores) as running:
            if agent.ends:
                cost = running.finish(bench.timeout)
                said = receiver.stop()
            else:
                wait_for_records(bench, receiver, running, corpus.records)
                cost = running.stop()
                said = receiver.stop()
                cost["wall_seconds"] = (said["last_ns"] - running.started_ns) / 1e9
        if row.counted_by == "agent":
            said = delivered_counts(agent, running, corpus.records)
        return figures(cost, said, corpus.size)


def run_backlog(bench, row, agent, corpus):
    """Fills the journal with an output that cannot be reached, then measures a second run that drains it."""
    with bench.folder() as folder:
        fill_journal(bench, row, agent, corpus, folder)
        with bench.agent(folder, agent.command(row, Place(folder, corpus.pattern(), 0)), row.cores) as running:
            cost = running.finish(bench.timeout)
        return figures(cost, delivered_counts(agent, running, corpus.records), corpus.size)


def fill_journal(bench, row, agent, corpus, folder):
    http = f"127.0.0.1:{free_port()}"
    command = agent.fill_command(row, Place(folder, corpus.pattern(), free_port(), http))
    with bench.agent(folder, command, 2, measured=False) as running:
        if not wait_until(lambda: journaled(running, http) >= corpus.records, bench.timeout, 0.1):
            raise RunFailed(f"the journal was not filled within {bench.timeout} s{running.last_words()}")
        running.stop()


def journaled(running, http):
    """Records in the journals, as the agent's ledger says; 0 before it answers."""
    running.check_alive()
    try:
        return sum(pipeline["journaled"] for pipeline in fetch_json(f"http://{http}/api/v1/ledger")["pipelines"])
    except OSError:
        return 0


def run_paced(bench, row, agent):
    with bench.folder() as folder, bench.receiver(folder, ["--latency"]) as receiver:
        corpus = folder / "paced.log"
        corpus.touch()
        with bench.agent(folder, agent.command(row, Place(folder, corpus, receiver.port))) as running:
            time.sleep(WARM_UP)
            running.check_alive()
            before, started = running.processor_seconds(), time.monotonic()
            with bench.watch(running.pid()):
                paced = write_paced(bench, row, corpus)
            running.check_alive()
            used, lasted = running.processor_seconds() - before, time.monotonic() - started
            wait_until(lambda: receiver.stats()["unique"] >= paced["records"], WAIT_DRAIN)
            cost = running.stop()
        said = receiver.stop()
        said["missing"] = paced["records"] - said["unique"]
        latency = {f"{name}_ms": said["latency_ns"][name] / 1e6 for name in ("p50", "p99", "max")}
        return {**figures(cost, said, None), "cpu_percent": 100 * used / lasted, **latency,
                "writer_late_ms": paced["worst_late_ms"], "input_bytes": paced["bytes"]}


def write_paced(bench, row, corpus):
    done = subprocess.run(
        ["taskset", "-c", str(bench.other_cpu), bench.tool("sluice-pacer"), "--rate", row.steady["rate"],
         "--seconds", str(row.steady["seconds"]), str(corpus)],
        check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def run_idle(bench, row, agent, corpus):
    """Lets the agent deliver the corpus, and measures what it costs to wait for more."""
    with bench.folder() as folder, bench.receiver(folder, ["--check", str(corpus.records)]) as receiver:
        command = agent.command(row, Place(folder, corpus.pattern(), receiver.port))
        with bench.agent(folder, command) as running:
            wait_for_records(bench, receiver, running, corpus.records)
            time.sleep(SETTLE)
            before, started = running.processor_seconds(), time.monotonic()
            time.sleep(row.idle_seconds)
            used, lasted = running.processor_seconds() - before, time.monotonic() - started
            resident = running.resident_bytes()
            cost = running.stop()
        return {**figures(cost, receiver.stop(), None), "cpu_percent": 100 * used / lasted,
                "resident_mb": resident / 1e6}


def wait_for_records(bench, receiver, running, records):
    """Waits until the receiver has them all, or no more come; what is missing is counted, not raised."""
    seen, changed = 0, time.monotonic()
    deadline = changed + bench.timeout
    while seen < records and time.monotonic() < min(changed + bench.stall, deadline):
        time.sleep(0.05)
        running.check_alive()
        now = receiver.stats()["unique"]
        if now > seen:
            seen, changed = now, time.monotonic()


def delivered_counts(agent, running, records):
    """Counts in the receiver's form, for an agent that delivers nowhere and says itself how many it delivered."""
    delivered = agent.delivered(running.output.read_text(errors="replace"))
    if delivered is None:
        raise RunFailed(f"{running.name} did not say what it delivered{running.last_words()}")
    return {"missing": max(records - delivered, 0), "doubled": max(delivered - records, 0), "unexpected": 0,
            "unnumbered": 0, "malformed": 0, "canaries": 0, "cpu_seconds": 0.0, "requests": 0, "wire_bytes": 0}


def figures(cost, said, size):
    """What a run is judged by, from the meter's and the receiver's reports. `size` is the input in bytes; None: the
    run is not about how fast it was read."""
    made = {
        "peak_mb": cost["peak_bytes"] / 1e6,
        "lost": said["missing"],
        "doubled": said["doubled"],
        "spoiled": said["unexpected"] + said["unnumbered"] + said["malformed"],
        "secrets": said["canaries"],
        "user_seconds": cost["user_seconds"],
        "system_seconds": cost["system_seconds"],
        "requests": said["requests"],
        "wire_mb": said["wire_bytes"] / 1e6,
    }
    if size:
        made["cpu_s_per_gb"] = (cost["user_seconds"] + cost["system_seconds"]) / size * 1e9
        made["mb_per_s"] = size / cost["wall_seconds"] / 1e6
        made["receiver_s_per_gb"] = said["cpu_seconds"] / size * 1e9
    return made


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
