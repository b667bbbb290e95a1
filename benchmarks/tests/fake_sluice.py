#!/usr/bin/env python3
"""Stands for the agent in the tests of the runner: understands its commands and configuration as far as the runner
uses them, and makes the fault that $FAKE_FAULT names: lose, double, spoil, fail."""

import glob
import http.client
import http.server
import json
import os
import re
import signal
import sys
import threading
import time

BATCH = 500
FAULT = os.environ.get("FAKE_FAULT")


class Stopped(Exception):
    pass


def on_term(_number, _frame):
    raise Stopped


def post(connection, lines):
    body = b"".join(b'{"create":{}}\n' + line for line in lines)
    connection.request("POST", "/_bulk?filter_path=errors", body)
    assert connection.getresponse().read() == b'{"errors":false}'


def deliver(connection, lines):
    for start in range(0, len(lines), BATCH):
        post(connection, lines[start:start + BATCH])


def read_lines(paths):
    """The lines of all files, with what $FAKE_FAULT does to them."""
    lines = []
    for path in paths:
        with open(path, "rb") as file:
            lines += file.readlines()
    if FAULT == "lose":
        del lines[3]
    if FAULT == "double":
        lines.append(lines[3])
    if FAULT == "spoil":
        lines.append(b'{"message":"from nowhere"}\n')
    return lines


def fail_if_meant_to():
    if FAULT == "fail":
        sys.exit("fake sluice: it was meant to fail")


def follow(connection, paths):
    files = [open(path, "rb") for path in paths]
    torn = [b""] * len(files)
    while True:
        for i, file in enumerate(files):
            lines = (torn[i] + file.read()).splitlines(keepends=True)
            torn[i] = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
            deliver(connection, lines)
        fail_if_meant_to()
        time.sleep(0.01)


def serve_ledger(address, journaled):
    """Says that all is journaled, until it is stopped."""
    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            body = json.dumps({"pipelines": [{"journaled": journaled}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    host, port = address.split(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(1)


def run(config, once):
    patterns = re.findall(r'tail: \{(?:name: \w+, )?path: \["([^"]+)"\]', config)
    paths = sorted(path for pattern in patterns for path in glob.glob(pattern))
    address = re.search(r'http: "([^"]+)"', config)
    if address:
        serve_ledger(address[1], len(read_lines(paths)))
    if '"null":' in config:
        delivered = len(read_lines(paths))
        fail_if_meant_to()
        print(f"bench:  received {delivered}\n  -> out:  delivered {delivered}")
        return
    port = int(re.search(r'url: \["http://127\.0\.0\.1:(\d+)"\]', config)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    if not once:
        follow(connection, paths)
    deliver(connection, read_lines(paths))
    fail_if_meant_to()


def main():
    if sys.argv[1:] == ["version"]:
        print("fake sluice 1.0")
        return
    assert sys.argv[1] == "run" and sys.argv[-2] == "-c", sys.argv
    with open(sys.argv[-1], encoding="utf-8") as file:
        config = file.read()
    signal.signal(signal.SIGTERM, on_term)
    try:
        run(config, "--once" in sys.argv)
    except Stopped:
        pass


main()
