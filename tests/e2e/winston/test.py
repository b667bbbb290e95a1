"""winston writes and rotates by itself, 5 MB a file; every line it wrote arrives once and no secret does."""

import contextlib
import glob
import json
import os
import threading
import time

from sluice_e2e import run

REDACT = {"redact": {"keys": ["authorization", "x-api-key", "cookie", "password", "token", "secret"], "detect": "all"}}
FILTERS = [{"parse": {"format": "json", "time": {"field": "timestamp"}}}, REDACT]


def follow(sc, **options):
    index = sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "combined*.log"), filters=FILTERS))
    app = sc.application("winston", maxfiles=1000, **options)
    sc.wait(app.is_done, "winston has written everything", 120)
    written = app.numbers("combined*.log")
    sc.delivered_exactly(agent, index, numbers=written, seconds=120)
    leaks = app.leaks({"the index": index.raw_docs(), "the agent's log": agent.log_text().encode()})
    assert not leaks, leaks


def the_booking_application(sc):
    follow(sc, app="booking", count=60000)


def the_crm_application(sc):
    follow(sc, app="crm", count=60000, seed=2)


@contextlib.contextmanager
def every_file_kept(sc, pattern):
    """Gives each file a second name as it appears: winston itself loses lines when it rotates under a flood, and only the files tell
    which ones it wrote. Yields the folder of those names."""
    folder, done = sc.path("kept"), threading.Event()
    os.makedirs(folder)

    def keep():
        found = os.path.join(folder, "found")
        while not done.is_set():
            for path in glob.glob(pattern):
                with contextlib.suppress(FileNotFoundError):  # renamed or removed meanwhile
                    os.link(path, found)
                    os.rename(found, os.path.join(folder, str(os.stat(found).st_ino)))
                    with contextlib.suppress(FileNotFoundError):  # it stays where the file is kept already
                        os.unlink(found)
            time.sleep(0.005)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield folder
    finally:
        done.set()
        thread.join()


def numbers_in(folder):
    found = set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found.update(json.loads(line)["n"] for line in file)
    return found


def files_that_winston_removes_are_read_first(sc):
    """maxFiles as the applications have it: winston deletes the oldest file while the agent still has it open."""
    index = sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "combined*.log"), filters=FILTERS))
    with every_file_kept(sc, sc.path("logs", "combined*.log")) as kept:
        app = sc.application("winston", count=60000, rate=8000, maxsize=1_000_000, maxfiles=5)
        sc.wait(app.is_done, "winston has written everything", 120)
    assert len(app.numbers("combined*.log")) < 40000, "winston should have removed files"
    written = numbers_in(kept)
    assert len(written) > 59000, "most lines should have been written"
    sc.delivered_exactly(agent, index, numbers=written, seconds=120)


run(the_booking_application, the_crm_application, files_that_winston_removes_are_read_first)
