#!/usr/bin/env python3
"""Stands for the agent in the tests of the runner: understands its commands and configuration as far as the runner
uses them, and makes the fault that $FAKE_FAULT names: lose, double, spoil, fail."""

import http.client
import os
import re
import signal
import sys
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


def run_once(connection, path):
    with open(path, "rb") as file:
        lines = file.readlines()
    if FAULT == "lose":
        del lines[3]
    if FAULT == "double":
        lines.append(lines[3])
    if FAULT == "spoil":
        lines.append(b'{"message":"from nowhere"}\n')
    deliver(connection, lines)
    if FAULT == "fail":
        sys.exit("fake sluice: it was meant to fail")


def follow(connection, path):
    signal.signal(signal.SIGTERM, on_term)
    try:
        with open(path, "rb") as file:
            torn = b""
            while FAULT != "fail":
                lines = (torn + file.read()).splitlines(keepends=True)
                torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
                deliver(connection, lines)
                time.sleep(0.01)
            sys.exit("fake sluice: it was meant to fail")
    except Stopped:
        pass


def main():
    if sys.argv[1:] == ["version"]:
        print("fake sluice 1.0")
        return
    assert sys.argv[1] == "run" and sys.argv[-2] == "-c", sys.argv
    with open(sys.argv[-1], encoding="utf-8") as file:
        config = file.read()
    path = re.search(r'tail: \{path: \["([^"]+)"\]', config)[1]
    port = int(re.search(r'url: \["http://127\.0\.0\.1:(\d+)"\]', config)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    (run_once if "--once" in sys.argv else follow)(connection, path)


main()
