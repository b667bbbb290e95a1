#!/usr/bin/env python3
"""The demo: two real loggers write, sluice follows them, takes the secrets out and delivers.

  demo.py                  into a file
  demo.py elasticsearch    into a real OpenSearch, started for it

./dev demo builds the agent and calls this. SLUICE_BIN names the agent. The configurations beside this
file are the ones that run; DEMO_RECORDS and DEMO_RATE change how much is written.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e", "lib"))
from sluice_e2e.applications import MARKS, Application  # noqa: E402
from sluice_e2e.scenario import free_port  # noqa: E402
from sluice_e2e.services import MissingTool, SearchNode, fetch  # noqa: E402

RECORDS = int(os.environ.get("DEMO_RECORDS", "20000"))  # of each application
RATE = int(os.environ.get("DEMO_RATE", "4000"))  # records a second
SETTLE_SECONDS = 30
SHOWN = 400


class Agent:
    """The agent of the demo, and what its ledger says."""

    def __init__(self, config, folder, **more):
        self.port = free_port()
        self.log_path = os.path.join(folder, "sluice.log")
        environment = {**os.environ, "DEMO": folder, "DEMO_PORT": str(self.port), **more}
        with open(self.log_path, "wb") as log:
            command = [os.environ["SLUICE_BIN"], "run", "-c", os.path.join(HERE, config)]
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ledger(self):
        """(records received, records delivered); None while the agent does not answer yet."""
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                sys.exit(f"demo: the agent ended with {self.process.returncode}:\n{log.read()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/ledger", timeout=5) as answer:
                (pipeline,) = json.load(answer)["pipelines"]
        except OSError:
            return None
        return pipeline["received"], pipeline["outputs"][0]["delivered"]

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


def start_loggers(folder):
    programs = []
    for kind, options in (("winston", {"maxfiles": 1000}), ("loguru", {"rotation": "5 MB"})):
        reason = Application.install(kind)
        if reason:
            sys.exit(f"demo: {reason}")
        logs, secrets = os.path.join(folder, "logs", kind), os.path.join(folder, f"{kind}.secrets")
        programs.append(Application(kind, logs, secrets, count=RECORDS, rate=RATE, **options))
    return programs


def progress(now, writing, end):
    text = f"  read {now[0]:>8,}   delivered {now[1]:>8,}   {'the loggers write   ' if writing else 'the loggers are done'}"
    print(f"\r{text}" if sys.stdout.isatty() else text, end=end, flush=True)


def follow(agent, programs):
    """Shows the agent at work until everything that was written is delivered."""
    deadline = None
    while True:
        now, writing = agent.ledger() or (0, 0), not all([program.is_done() for program in programs])
        if not writing:
            deadline = deadline or time.monotonic() + SETTLE_SECONDS
            if now[1] >= len(programs) * RECORDS or time.monotonic() > deadline:
                return progress(now, writing, "\n")
        if sys.stdout.isatty():
            progress(now, writing, "")
        time.sleep(0.1)


def count_marks(data):
    return sum(data.count(mark) for mark in MARKS)


def read_file(path):
    with open(path, "rb") as source:
        return source.read()


def show(title, line):
    print(f"\n{title}\n  {line[:SHOWN]}{' ...' if len(line) > SHOWN else ''}")


def first_request(lines):
    """The first record that carries request headers, as text."""
    return next((line for line in lines if '"headers"' in line), "")


def summarise(programs, before, after, documents, counted):
    written = [len(program.numbers("combined*.log" if program.kind == "winston" else "health_checker*")) for program in programs]
    planted = sum(len(program.secrets()) for program in programs)
    show("before, as winston wrote it:", first_request(before))
    show("after, as it was delivered:", first_request(after))
    print(f"\n  written    {sum(written):>8,} records, {', '.join(f'{n:,} by {p.kind}' for n, p in zip(written, programs))}")
    print(f"  {counted:10} {documents:>8,} records")
    print(f"  secrets    {planted:>8,} planted, {count_marks(chr(10).join(after).encode()):,} delivered")
    return documents == sum(written) and not count_marks("\n".join(after).encode())


def into_a_file(folder):
    agent = Agent("file.yaml", folder)
    programs = start_loggers(folder)
    try:
        follow(agent, programs)
        code = agent.stop()
    finally:
        end(agent, programs)
    path = os.path.join(folder, "out", "demo.ndjson")
    after = read_file(path).decode("utf-8").splitlines()
    before = read_file(os.path.join(folder, "logs", "winston", "combined.log")).decode("utf-8").splitlines()
    good = summarise(programs, before, after, len(after), "delivered")
    print(f"\n  configuration {os.path.relpath(os.path.join(HERE, 'file.yaml'))}\n  output        {path}")
    return good and code == 0


def show_server(node):
    """What the server itself says it holds; returns its count."""
    version = json.loads(fetch(node.url))["version"]
    print(f"\n  {version.get('distribution', 'elasticsearch')} {version['number']} at {node.url} counts:")
    counted = node.count()
    for index in json.loads(fetch(f"{node.url}/_cat/indices/demo-*?format=json&s=index")):
        print(f"    {index['index']:30} {int(index['docs.count']):>8,} records, {index['store.size']}")
    return counted


def into_opensearch(folder):
    begun = time.monotonic()
    try:
        node = SearchNode("opensearch", os.path.join(folder, "opensearch"), "demo-*")
    except MissingTool as missing:
        sys.exit(f"demo: {missing}")
    print(f"  OpenSearch answers after {time.monotonic() - begun:.1f} s")
    agent, programs = None, []
    try:
        agent = Agent("elasticsearch.yaml", folder, DEMO_URL=node.url)
        programs = start_loggers(folder)
        follow(agent, programs)
        code = agent.stop()
        counted = show_server(node)
        after = [json.dumps(document, ensure_ascii=False) for document in node.docs()]
        before = read_file(os.path.join(folder, "logs", "winston", "combined.log")).decode("utf-8").splitlines()
        return summarise(programs, before, after, counted, "indexed") and code == 0
    finally:
        end(agent, programs)
        node.kill()


def end(agent, programs):
    for program in programs:
        program.clean_up()
    if agent and agent.process.poll() is None:
        agent.process.kill()
        agent.process.wait()


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "file"
    if kind not in ("file", "elasticsearch"):
        sys.exit(f"demo: there is no demo {kind!r}; there are file and elasticsearch")
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"sluice-demo-{os.getuid()}")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "logs"))
    print(f"Two applications write {RECORDS:,} records each, with winston and with loguru; sluice follows.")
    good = into_a_file(folder) if kind == "file" else into_opensearch(folder)
    print("\nEverything written was delivered, once, and no secret with it." if good else "\nThat is not what should have come out.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
