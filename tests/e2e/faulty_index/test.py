"""An index that answers late, wrongly, partly or not at all: each record arrives once all the same."""

from sluice_e2e import assert_exactly, run

RECORDS = 20_000
SMALL = {"request": {"max_records": 500}}


def through(sc, *steps, output=None, service=None, records=RECORDS, **options):
    """Delivers records through the script; returns the receiver, the agent and the ledger."""
    log, index = sc.log("app.log"), sc.receiver(*steps, **options)
    agent = sc.agent(sc.main_job(index, log.path, output={**SMALL, **(output or {})}, service=service))
    log.write(records)
    ledger = sc.delivered_exactly(agent, index, log)
    assert index.stats()["steps_left"] == [], "the script was not played to its end"
    return index, agent, ledger


def statuses(sc):
    steps = [{"status": status, "count": 2} for status in (500, 502, 503, 504, 429, 408)]
    index, _, _ = through(sc, *steps)
    assert index.stats()["conflicts"] == 0, "a refused request was answered as if it had been taken"


def retry_after_is_honoured(sc):
    index, _, _ = through(sc, {"status": 429, "headers": {"Retry-After": "3"}, "name": "busy"}, output={"request": {"concurrency": 1}})
    bulk = [request for request in index.requests() if request["target"].endswith("/_bulk") or "/_bulk?" in request["target"]]
    busy = next(i for i, request in enumerate(bulk) if request["step"] == "busy")
    waited = bulk[busy + 1]["at"] - bulk[busy]["at"]
    assert waited >= 2.9, f"the next request came after {waited:.1f} s, Retry-After said 3"


def answers_lost_on_the_way(sc):
    """The records were taken, the answer never came: sent again, they are 409, which is delivered."""
    steps = [{"how": how, "store": True} for how in ("close", "reset", "half_close")]
    steps += [{"cut": cut, "how": "close"} for cut in (1, 17, 120, 400, 3000)]
    index, _, _ = through(sc, *steps, output={"timeout": "2s"})
    assert index.stats()["conflicts"] >= 500


def broken_requests(sc):
    through(sc, {"read": 1000, "how": "reset"}, {"read": 0, "how": "close"}, {"on": "CONNECT", "how": "reset", "count": 3})


def hanging(sc):
    through(sc, {"how": "hang"}, {"how": "hang", "store": True}, {"delay": 4}, output={"timeout": "2s"})


def slow(sc):
    through(sc, {"read_rate": 100_000}, {"write_rate": 20_000}, {"delay": 1.5}, records=5000)


def odd_bodies(sc):
    """A 200 whose body can't be understood is no proof of delivery."""
    kinds = [{"body_kind": kind, "store": False} for kind in ("empty", "garbage", "html")]
    bodies = [{"body": body, "store": False} for body in ("{", '{"errors":fal', "[]", '{"took":1}', '{"errors":true,"items":[]}')]
    through(sc, *kinds, *bodies)


def endless_body(sc):
    through(sc, {"body_kind": "endless", "count": 2}, output={"timeout": "3s"})


def spellings_of_a_partial_failure(sc):
    """Every third item is refused once, in answers spelled in every way."""
    styles = ("compact", "spaced", "lines", "errors_last", "no_errors")
    through(sc, *({"style": style, "items": [{"status": 429, "every": 3, "times": 1}]} for style in styles))


def items_retried_alone(sc):
    index, _, _ = through(sc, {"items": [{"status": 503, "every": 10, "times": 1}]}, output={"request": {"concurrency": 1}}, records=500)
    sizes = [request["body_bytes"] for request in index.requests() if "_bulk" in request["target"]]
    assert sizes[1] < sizes[0] / 5, f"more than the refused items was sent again: {sizes}"
    assert index.stats()["conflicts"] == 0


def items_never_taken(sc):
    """A mapping error is for ever: dead letter with the index's own reason; the others are delivered."""
    rule = {"status": 400, "match": '"n":[0-9]*7,', "reason": "failed to parse field [n]"}
    log, index = sc.log("app.log"), sc.receiver({"items": [rule], "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path, output=SMALL))
    log.write(1000)
    sc.arrived(index, 900)
    ledger = sc.settled(agent)
    assert ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 100, ledger
    assert_exactly(index.docs(), [n for n in range(1000) if n % 10 != 7])
    assert b"failed to parse field [n]" in agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    index.script()
    agent.stop()
    agent.command("deadletter", "replay", "-c", agent.config_path)
    agent.start()
    sc.arrived(index, 1000)
    sc.settled(agent)
    assert_exactly(index.docs(), 1000)


def too_large(sc):
    index, _, _ = through(sc, max_body=20_000)
    assert all(request["status"] == 413 for request in index.requests() if request["body_bytes"] > 20_000)


def a_single_record_too_large(sc):
    log, index = sc.log("app.log"), sc.receiver(max_body=20_000)
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(100)
    log.write_raw(b'{"n":-1,"message":"' + b"x" * 30_000 + b'"}\n')
    log.write(100)
    sc.arrived(index, 200)
    ledger = sc.settled(agent)
    assert ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 1, ledger
    assert_exactly(index.docs(), 200)


def gzip(sc):
    index, _, _ = through(sc, {"status": 503}, {"how": "reset", "store": True}, output={"compress": "gzip"})
    bulk = [request for request in index.requests() if "_bulk" in request["target"]]
    assert all(request["headers"].get("content-encoding") == "gzip" for request in bulk)


def two_urls_one_dead(sc):
    log, first, second = sc.log("app.log"), sc.receiver(), sc.receiver()
    agent = sc.agent(sc.main_job(first, log.path, output={**SMALL, "url": [first.url, second.url]}))
    log.write(5000)
    sc.wait(lambda: first.count() + second.count() >= 5000, "5000 records are in the two indices")
    assert first.count() and second.count(), "the requests were not spread"
    first.stop()
    log.write(5000)
    sc.wait(lambda: second.count() >= 5000, "the second receiver has taken over", 30)
    sc.settled(agent)
    first.start()
    assert_exactly({doc["n"]: doc for doc in first.docs() + second.docs()}.values(), log.count)


run(statuses, retry_after_is_honoured, answers_lost_on_the_way, broken_requests, hanging, slow, odd_bodies, endless_body,
    spellings_of_a_partial_failure, items_retried_alone, items_never_taken, too_large, a_single_record_too_large,
    gzip, two_urls_one_dead)  # fmt: skip
