#!/usr/bin/env python3
"""Stands for rsyslog in the tests of the runner: reads the file that its configuration names, sends it, and waits until
it is stopped. $FAKE_FAULT=lose leaves a record out."""

import http.client
import os
import re
import signal
import sys
from pathlib import Path


def main():
    if sys.argv[1:] == ["-v"]:
        print("fake rsyslogd 1.0")
        return
    assert os.environ["LD_LIBRARY_PATH"].endswith("/usr/lib"), "it gets its own libraries"
    config = Path(sys.argv[sys.argv.index("-f") + 1]).read_text(encoding="utf-8")
    lines = Path(re.search(r'file="([^"]+)"', config)[1]).read_bytes().splitlines(keepends=True)
    if os.environ.get("FAKE_FAULT") == "lose":
        del lines[3]
    connection = http.client.HTTPConnection("127.0.0.1", int(re.search(r'serverport="(\d+)"', config)[1]))
    for start in range(0, len(lines), 500):
        connection.request("POST", "/_bulk", b"".join(b'{"index":{}}\n' + line for line in lines[start:start + 500]))
        connection.getresponse().read()
    signal.sigwait({signal.SIGTERM})


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
main()
