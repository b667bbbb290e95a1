"""winston writes and rotates by itself, 5 MB a file; every line it wrote arrives once and no secret does."""

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


def files_that_winston_removes_are_read_first(sc):
    """maxFiles as the applications have it: winston deletes the oldest file while the agent still has it open."""
    index = sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "combined*.log"), filters=FILTERS))
    app = sc.application("winston", count=60000, rate=8000, maxsize=1_000_000, maxfiles=5)
    sc.wait(app.is_done, "winston has written everything", 120)
    kept = app.numbers("combined*.log")
    assert len(kept) < 40000, "winston should have removed files"
    sc.delivered_exactly(agent, index, numbers=range(60000), seconds=120)


run(the_booking_application, the_crm_application, files_that_winston_removes_are_read_first)
