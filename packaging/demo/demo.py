#!/usr/bin/env python3
"""The main job before your eyes: winston and loguru write logs, sluice follows, redacts and delivers them.

  demo.py                into a file, through the `file` output
  demo.py elasticsearch  into a real OpenSearch, started for it and stopped afterwards

$SLUICE_BIN names the agent. Everything lives in a temporary folder that is removed at the end.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGGERS = ROOT / "tests" / "services" / "loggers"
OPENSEARCH = ROOT / "tests" / "services" / "opensearch"
RECORDS = 3000
RATE = 1500  # records a second and logger
PATIENCE = 120
SHOWN_FROM = 100  # the record shown is the richest in secrets of so many

CONFIG = """\
service:
  data_dir: {folder}/data
  http: 127.0.0.1:0
pipelines:
  demo:
    inputs:
      - tail: {{path: ["{folder}/booking/combined*.log", "{folder}/health/health_checker*.jsonl"]}}
    filters:
      - parse: json
      - redact: {{}}
    outputs:
      - {output}
"""


def say(text):
    print(text, flush=True)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def start_loggers(folder):
    """Both loggers, writing live; each lists the secrets that it plants."""
    calls = [
        [LOGGERS / "winston" / "run", folder / "booking", "--maxfiles", "50", "--secrets", folder / "winston.secrets"],
        [LOGGERS / "loguru" / "run", folder / "health", "--secrets", folder / "loguru.secrets"],
    ]
    for name in ("booking", "health"):
        (folder / name).mkdir()
    return [subprocess.Popen([*map(str, call), "--count", str(RECORDS), "--rate", str(RATE)]) for call in calls]


def written_lines(folder):
    files = [*(folder / "booking").glob("combined*.log"), *(folder / "health").glob("health_checker*.jsonl")]
    return [line for file in files for line in file.read_text().splitlines()]


def count_secrets(text, secrets):
    data = text.encode()
    return sum(1 for secret in secrets if secret.encode() in data)


class Agent:
    def __init__(self, folder, output):
        self.folder = folder
        config = folder / "sluice.yaml"
        config.write_text(CONFIG.format(folder=folder, output=output))
        self.log = folder / "sluice.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([os.environ["SLUICE_BIN"], "run", "-c", str(config)], stderr=log)

    def url(self):
        """Where its pages are: it says so in its log."""
        for _ in range(100):
            for line in self.log.read_text().splitlines():
                if "pages at " in line:
                    return line.split("pages at ")[1].strip().rstrip("/")
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit("sluice did not start:\n" + self.log.read_text())

    def ledger(self):
        return get(self.url() + "/api/v1/ledger")["pipelines"][0]

    def wait_until_delivered(self, count):
        end = time.monotonic() + PATIENCE
        while self.ledger()["outputs"][0]["delivered"] < count:
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit("not everything was delivered:\n" + self.log.read_text())
            time.sleep(0.1)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)


class FileOutput:
    title = "a file, through the `file` output"

    def __init__(self, folder):
        self.path = folder / "out" / "demo.ndjson"
        self.yaml = f'file: {{path: "{self.path}"}}'

    def documents(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def proof(self, documents):
        return f"{self.path.name} holds {len(documents)} lines, {self.path.stat().st_size:,} bytes"

    def close(self):
        pass


class OpenSearchOutput:
    title = "OpenSearch, a real node"

    def __init__(self, folder):
        self.state = folder / "opensearch"
        say("starting OpenSearch (the first time it is fetched) …")
        self.url = subprocess.run([OPENSEARCH, "start", self.state], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        # An index each: the two write `timestamp` in different ways, and a server maps a field only once.
        self.yaml = f'elasticsearch: {{url: "{self.url}", index: "demo-{{{{ service }}}}"}}'

    def documents(self):
        urllib.request.urlopen(urllib.request.Request(self.url + "/demo-*/_refresh", method="POST"), timeout=30).close()
        found = get(self.url + "/demo-*/_search?size=10000")
        return [hit["_source"] for hit in found["hits"]["hits"]]

    def proof(self, documents):
        return f"GET {self.url}/demo-*/_count answers {get(self.url + '/demo-*/_count')['count']}"

    def close(self):
        subprocess.run([OPENSEARCH, "stop", self.state], check=False, stdout=subprocess.DEVNULL)


def show_pair(lines, documents, secrets):
    """One record with many secrets, as it was written and as it arrived."""
    richest = max(lines[:SHOWN_FROM], key=lambda line: count_secrets(line, secrets))
    before = json.loads(richest)
    after = next(doc for doc in documents if doc.get("n") == before["n"] and doc.get("service") == before.get("service"))
    say("\nbefore, in the application's log:\n" + json.dumps(before, indent=2))
    say("\nafter, as delivered:\n" + json.dumps(after, indent=2))


def summarise(folder, output, ledger):
    lines = written_lines(folder)
    documents = output.documents()
    secrets = [s for file in folder.glob("*.secrets") for s in file.read_text().split("\n") if s]
    everything = "\n".join(json.dumps(doc, ensure_ascii=False) for doc in documents)
    show_pair(lines, documents, secrets)
    found = count_secrets(everything, secrets)
    unique = len({(doc.get("service"), doc["n"]) for doc in documents})
    say(f"\nwritten by winston and loguru: {len(lines)} records with {len(secrets)} planted secrets")
    say(f"delivered into {output.title}: {len(documents)} records, {unique} different ones; planted secrets in them: {found}")
    say(output.proof(documents))
    say("ledger: " + json.dumps(ledger))
    return len(documents) == unique == len(lines) and found == 0 and ledger["balanced"]


def run(kind, folder):
    output = (OpenSearchOutput if kind == "elasticsearch" else FileOutput)(folder)
    agent = None
    try:
        agent = Agent(folder, output.yaml)
        agent.url()
        say(f"winston and loguru write {RECORDS} records each; sluice follows them …")
        for logger in start_loggers(folder):
            if logger.wait() != 0:
                raise SystemExit("a logger failed")
        agent.wait_until_delivered(len(written_lines(folder)))
        ledger = agent.ledger()
        good = summarise(folder, output, ledger)
        good = agent.stop() == 0 and good
    finally:
        if agent:
            agent.stop()
        output.close()
    say("\nall there, none twice, no secret left" if good else "\nthis is not as it should be: see above")
    return 0 if good else 1


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "file"
    if kind not in ("file", "elasticsearch"):
        raise SystemExit(__doc__)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    try:
        return run(kind, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
