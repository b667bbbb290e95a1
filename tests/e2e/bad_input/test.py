"""The zoo of bad input: each piece has a counted, bounded outcome, and its neighbours arrive intact.

Good records stand before and after each piece. The receiver takes the place of the index here, because it
keeps the bytes that came.
"""

import json
import os
import random

from sluice_e2e import assert_exactly, run

DEEP = b'{"n":-1,"deep":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}\n"


def start(sc, name="app.log", **more):
    log, index = sc.log(name), sc.receiver()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "**", "*.log"), **more))
    return log, index, agent


def good(index):
    """The numbered records among the documents."""
    return [doc for doc in index.docs() if isinstance(doc.get("n"), int) and doc["n"] >= 0]


def between_neighbours(sc, *pieces, **more):
    """Writes each piece between good records; asserts that those arrived and that nothing is uncounted.
    Returns the index, the agent and the ledger."""
    log, index, agent = start(sc, **more)
    log.write(10)
    for piece in pieces:
        log.write_raw(piece)
        log.write(10)
    sc.wait(lambda: len(good(index)) >= log.count, f"the {log.count} neighbours are in the index")
    ledger = sc.settled(agent)
    assert_exactly(good(index), log.count)
    for line in index.raw_docs().splitlines():
        json.loads(line.decode("utf-8"))  # what came is JSON in UTF-8, whatever went in
    return index, agent, ledger


def binary_noise(sc):
    noise = random.Random(1)
    lines = [bytes(noise.randrange(256) for _ in range(300)).replace(b"\n", b"\xff") + b"\n" for _ in range(50)]
    index, _, ledger = between_neighbours(sc, *lines)
    assert index.count() + lost(ledger) == 510 + 50, "a line of noise is neither in the index nor counted"


def lost(ledger):
    """Records that did not come to the index, and are counted."""
    (pipeline,) = ledger["pipelines"]
    (output,) = pipeline["outputs"]
    return sum(part["filtered"] + part["dead_lettered"] + sum(part["dropped"].values()) for part in (pipeline, output))


def invalid_utf8_and_nuls(sc):
    pieces = (b'{"n":-1,"s":"a\xffb"}\n', b'{"n":-2,"s":"\xc3"}\n', b'{"n":-3,"s":"\xed\xa0\x80"}\n', b'{"n":-4,"s":"\xf5\x80\x80\x80"}\n',
              b'{"n":-5,"s":"a\0b"}\n', b'\xc0\xaf{"n":-6}\n')  # fmt: skip
    index, _, ledger = between_neighbours(sc, *pieces)
    assert index.count() + lost(ledger) == 70 + len(pieces)
    repaired = [doc["s"] for doc in index.docs() if doc.get("n") == -1]
    assert repaired == ["a\ufffdb"], repaired


def a_line_of_100_mb(sc):
    log, index, agent = start(sc)
    log.write(10)
    log.write_raw(b'{"n":-1,"message":"')
    for _ in range(100):
        log.write_raw(b"x" * 1_000_000)
    log.write_raw(b'"}\n')
    log.write(10)
    sc.wait(lambda: len(good(index)) == 20, "the neighbours of the long line are in the index", 120)
    sc.settled(agent)
    assert_exactly(good(index), 20)
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 200_000, f"the agent took {peak} kB for a line of 100 MB"
    sc.wait(lambda: "app.log" in agent.log_text(), "the agent's log names the file with the long line", 10)


def nesting_10_000_deep(sc):
    index, _, ledger = between_neighbours(sc, DEEP, b"[" * 10_000 + b"\n", b'{"n":-1,"a":' + b"[" * 10_000 + b"\n")
    assert index.count() + lost(ledger) == 40 + 3


def odd_but_legal_json(sc):
    digits = b"7" * 500
    pieces = (b'{"n":-1,"a":1,"a":2,"a":{"a":3}}\n', b'{"n":-2,"big":' + digits + b',"real":-1.' + digits + b"e-10}\n",
              b'{"n":-3,"s":"\\ud800","t":"\\udc00\\ud83d\\ude00"}\n', b'  {"n":-4}  \n', b'{"n":-5,"":"","\\u0000":"\\u0000"}\n')  # fmt: skip
    index, _, ledger = between_neighbours(sc, *pieces)
    assert index.count() + lost(ledger) == 60 + len(pieces)
    raw = index.raw_docs()
    assert digits in raw, "a number of 500 digits lost some"
    assert raw.count(b'"a":1') == 1 and raw.count(b'"a":2') == 1, "a key that stands twice came once"


def not_an_object(sc):
    pieces = (b"null\n", b"12\n", b'"text"\n', b"[1,2]\n", b"{\n", b'{"n":-1\n', b'{"n":-1}}\n', b'{"n":-1} {"n":-2}\n', b"{'n':-1}\n", b"plain text\n")
    index, _, ledger = between_neighbours(sc, *pieces)
    assert index.count() + lost(ledger) == 110 + len(pieces)
    assert any(doc.get("message") == "plain text" for doc in index.docs()), "a line that does not parse is kept as message"


def line_ends_and_empty_lines(sc):
    log, index, agent = start(sc)
    log.write_raw(b'\xef\xbb\xbf{"n":-1}\r\n{"n":-2}\r\n\r\n\n\n   \n\t\n')
    log.write(10)
    log.write_raw(b"\n" * 1000)
    log.write(10)
    sc.wait(lambda: len(index.docs()) >= 22, "22 records are in the index")
    sc.settled(agent)
    assert_exactly([doc for doc in index.docs() if doc.get("n") is not None], [*range(20), -1, -2])
    assert b"\\ufeff" not in index.raw_docs() and b"\xef\xbb\xbf" not in index.raw_docs()


def things_named_like_logs(sc):
    folder = sc.path("logs")
    os.makedirs(os.path.join(folder, "folder.log"))
    os.mkfifo(os.path.join(folder, "fifo.log"))
    os.symlink("/nonexistent", os.path.join(folder, "dangling.log"))
    os.symlink("loop.log", os.path.join(folder, "loop.log"))
    open(os.path.join(folder, "empty.log"), "wb").close()
    log, index, agent = start(sc)
    log.write(100)
    inside = sc.log("folder.log/inside.log", first=1000).write(100)
    sc.delivered_exactly(agent, index, log, inside)


def files_that_come_and_go(sc):
    log, index, agent = start(sc)
    with log.background(rate=2000):
        for number in range(1000):
            path = sc.path("logs", f"short-{number % 50}.log")
            with open(path, "wb") as short:
                short.write(b'{"n":-1}\n' if number % 2 else b"")
            os.unlink(path)
    sc.wait(lambda: len(good(index)) >= log.count, "the lasting file is in the index")
    sc.settled(agent)
    assert_exactly(good(index), log.count)


def unreadable_files(sc):
    log, closed, index = sc.log("app.log"), sc.log("closed.log", first=1000), sc.receiver()
    log.write(100)
    closed.write(100)
    os.chmod(closed.path, 0)
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log")), unprivileged=True)
    sc.arrived(index, 100)
    sc.wait(lambda: "closed.log" in agent.log_text(), "the agent's log names the file it can't read", 30)
    sc.delivered_exactly(agent, index, log)
    assert agent.log_text().count("closed.log") < 20, "the agent's log repeats itself"


run(binary_noise, invalid_utf8_and_nuls, a_line_of_100_mb, nesting_10_000_deep, odd_but_legal_json, not_an_object,
    line_ends_and_empty_lines, things_named_like_logs, files_that_come_and_go, unreadable_files)  # fmt: skip
