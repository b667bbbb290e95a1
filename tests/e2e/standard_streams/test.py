"""Standard input and output as shells and other programs leave them: closed, non-blocking, read slowly or not at all."""

import fcntl
import json
import os
import signal
import subprocess
import time

from sluice_e2e import run
from sluice_e2e.agent import find_binary

COUNT = 20000


def configuration(sc, streams="inputs: {stdin: {}}, outputs: {stdout: {}}", timeout="1s"):
    path = sc.path("sluice.yaml")
    with open(path, "w", encoding="ascii") as out:
        out.write("service: {data_dir: %s, http: off, shutdown_timeout: %s}\npipelines: {p: {%s}}\n" % (sc.path("data"), timeout, streams))
    return path


def lines(sc):
    path = sc.path("in.ndjson")
    with open(path, "w", encoding="ascii") as out:
        out.writelines(json.dumps({"n": n, "pad": "x" * 50}) + "\n" for n in range(COUNT))
    return path


def start(path, *options, **streams):
    return subprocess.Popen([find_binary(), "run", "-c", path, *options], stderr=subprocess.PIPE, **streams)


def a_reader_that_is_slow_gets_each_record_once(sc):
    for flags in (0, os.O_NONBLOCK):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETFL, flags)
        with open(lines(sc), "rb") as source:
            agent = start(configuration(sc, "inputs: {stdin: {}}, filters: [{parse: json}], outputs: {stdout: {}}"), "--once", stdin=source, stdout=writer)
        os.close(writer)
        time.sleep(0.5)  # the pipe is full by then
        with os.fdopen(reader, "rb") as out:
            text = out.read(200 * COUNT)  # bounded: what repeats itself must not go on for ever
        seen = text.count(b"\n")
        if seen != COUNT:
            agent.kill()
        assert [json.loads(line)["n"] for line in text.splitlines()] == list(range(COUNT)), f"{seen} lines"
        assert agent.wait(30) == 0, agent.stderr.read()
        agent.stderr.close()


def a_reader_that_stands_still_does_not_keep_the_agent(sc):
    reader, writer = os.pipe()
    with open(lines(sc), "rb") as source:
        agent = start(configuration(sc), stdin=source, stdout=writer)
    os.close(writer)
    time.sleep(1)
    agent.send_signal(signal.SIGTERM)
    try:
        agent.wait(10)  # shutdown_timeout is 1 s
    finally:
        agent.kill()
        os.close(reader)
    assert agent.returncode == 0, agent.stderr.read()
    agent.stderr.close()


def a_second_signal_ends_the_wait(sc):
    reader, writer = os.pipe()
    with open(lines(sc), "rb") as source:
        agent = start(configuration(sc, timeout="60s"), stdin=source, stdout=writer)
    os.close(writer)
    time.sleep(1)
    agent.send_signal(signal.SIGTERM)
    agent.send_signal(signal.SIGTERM)  # in the same breath: still the first
    time.sleep(2)
    assert agent.poll() is None, "two signals at once are one"
    agent.send_signal(signal.SIGTERM)
    try:
        agent.wait(10)
    finally:
        agent.kill()
        os.close(reader)
    text = agent.stderr.read().decode()
    agent.stderr.close()
    assert agent.returncode == 0 and text.count("asked again: ") == 1, text


def closed_descriptors_are_errors_and_nothing_else_gets_them(sc):
    path = configuration(sc)
    for closed in (0, 1, 2):
        done = subprocess.run(
            ["timeout", "3", "sh", "-c", f"exec {closed}<&-; exec {find_binary()} run --once -c {path}"],
            input=b'{"n": 1}\n', capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        text = done.stderr.decode()
        assert "Assertion" not in text and done.returncode in (0, 1, 124), (closed, done)
        if closed == 0:
            assert "standard input cannot be read: Bad file descriptor" in text and done.returncode == 1, done
        if closed == 1:
            assert "cannot write to standard output: Bad file descriptor" in text and done.returncode == 124, done
        if closed == 2:
            assert done.returncode == 0 and done.stdout.count(b"\n") == 2, done  # with the one that nobody took


def standard_input_is_read_by_one(sc):
    text = "inputs: {stdin: {}}, outputs: {stdout: {}}}, q: {inputs: {stdin: {}}, outputs: {stdout: {}}"
    done = subprocess.run([find_binary(), "run", "--once", "-c", configuration(sc, text)], input=b"a\nb\n", capture_output=True, timeout=30, check=False)
    assert done.returncode == 2 and b"define it once under `inputs:`" in done.stderr, done


run(
    a_reader_that_is_slow_gets_each_record_once,
    a_reader_that_stands_still_does_not_keep_the_agent,
    a_second_signal_ends_the_wait,
    closed_descriptors_are_errors_and_nothing_else_gets_them,
    standard_input_is_read_by_one,
)
