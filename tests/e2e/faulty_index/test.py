"""An index that answers late, wrongly, partly or not at all: each record arrives once all the same."""

import email.utils
import socket
import time

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


def retry_after_as_a_date(sc):
    date = email.utils.formatdate(time.time() + 5, usegmt=True)
    index, _, _ = through(sc, {"status": 503, "headers": {"Retry-After": date}, "name": "busy"}, output={"request": {"concurrency": 1}})
    bulk = [request for request in index.requests() if "_bulk" in request["target"]]
    busy = next(i for i, request in enumerate(bulk) if request["step"] == "busy")
    waited = bulk[busy + 1]["at"] - bulk[busy]["at"]
    assert 2 <= waited <= 8, f"the next request came after {waited:.1f} s"


def whole_answer(index, step, records):
    """How many bytes the receiver answers to a bulk request of so many records that takes the step."""
    index.script(step)
    body = b'{"create":{"_index":"probe"}}\n{}\n' * records
    with socket.create_connection(("127.0.0.1", index.port)) as sock:
        sock.sendall(b"POST /_bulk HTTP/1.1\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        sock.sendall(body)
        return sum(len(part) for part in iter(lambda: sock.recv(65536), b""))


def cut_everywhere(sc, spare=0, **form):
    """An answer that says that all is well is believed when it is whole, not one byte before. Its records were not taken."""
    records = 3
    good = {"took": 3, "errors": False, "items": [{"create": {"_index": "logs", "status": 201}}] * records}
    lie = {"body": good, "store": False, **form}
    log, index = sc.log("app.log"), sc.receiver()
    length = whole_answer(index, lie, records)
    index.script(*({**lie, "cut": cut, "how": "close"} for cut in range(length - spare)))
    log.write(records)
    agent = sc.agent(sc.main_job(index, log.path, output={"retry": {"initial": "1ms", "max": "2ms"}}))
    sc.delivered_exactly(agent, index, log)
    assert index.stats()["steps_left"] == [] and index.stats()["conflicts"] == 0
    assert index.stats()["bulk_requests"] > length - spare


def answers_cut_at_every_byte(sc):
    cut_everywhere(sc)


def answers_in_chunks_cut_at_every_byte(sc):
    cut_everywhere(sc, spare=1, form="chunked")  # the line feed after the last carriage return is not missed


def answers_of_http_1_0_cut_at_every_byte(sc):
    cut_everywhere(sc, form="http10")


def other_forms(sc):
    index, _, _ = through(sc, *({"form": form, "count": 3} for form in ("http10", "chunked", "gzip")))
    assert index.stats()["conflicts"] == 0, "an answer was not understood"


def no_http(sc):
    through(sc, {"form": "noise", "store": False, "count": 3})


def answers_without_end(sc):
    """Memory is bounded, whatever comes."""
    log = sc.log("app.log")
    index = sc.receiver({"form": "endless_head", "count": 3}, {"body_kind": "endless", "count": 3})
    agent = sc.agent(sc.main_job(index, log.path, output={"timeout": "5s", "max_answer": "1MiB"}))
    before = agent.peak_memory()
    log.write(RECORDS)
    sc.delivered_exactly(agent, index, log)
    assert index.stats()["steps_left"] == []
    grown = agent.peak_memory() - before
    assert grown < 40 << 20, f"{grown >> 20} MiB were taken"


def a_redirect(sc):
    """Is not followed: credentials go to nobody who is not in the configuration."""
    log, other = sc.log("app.log"), sc.receiver()
    steps = [{"status": status, "headers": {"Location": f"{other.url}/logs/_bulk"}, "count": 2} for status in (301, 302, 307, 308)]
    index = sc.receiver(*steps, auth="ApiKey abc")
    agent = sc.agent(sc.main_job(index, log.path, output={"auth": {"api_key": "abc"}}))
    log.write(RECORDS)
    sc.delivered_exactly(agent, index, log)
    assert other.stats()["connections"] == 0, "somebody was asked who is not in the configuration"
    assert "a redirect, which is not followed: put its target into `url`" in agent.log_text()


def wrong_credentials(sc):
    """Are no fault of the records: they wait until a person has mended it."""
    log, index = sc.log("app.log"), sc.receiver(auth="ApiKey abc")
    agent = sc.agent(sc.main_job(index, log.path, output={"auth": {"api_key": "abd"}}))
    log.write(RECORDS)
    sc.wait(lambda: "status 401" in agent.log_text() and "check `auth`" in agent.log_text(), "the log says what to do")
    sc.settled(agent, stuck=RECORDS)
    agent.kill()
    agent.config["pipelines"]["main"]["outputs"][0]["elasticsearch"]["auth"]["api_key"] = "abc"
    agent.write_config()
    agent.start()
    sc.delivered_exactly(agent, index, log)


def refused_as_a_whole(sc, status, says):
    log, index = sc.log("app.log"), sc.receiver({"status": status, "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(RECORDS)
    sc.wait(lambda: says in agent.log_text(), f"the log says {says!r}")
    sc.settled(agent, stuck=RECORDS)
    index.script()
    sc.delivered_exactly(agent, index, log)


def credentials_that_stop_working(sc):
    refused_as_a_whole(sc, 401, "status 401 from")


def forbidden(sc):
    refused_as_a_whole(sc, 403, "these credentials may not do this")


def not_found(sc):
    refused_as_a_whole(sc, 404, "check the path of `url`")


def never_taken(sc, records, reason, *steps):
    """Each record has its own dead letter, after no more requests than halving takes."""
    log, index = sc.log("app.log"), sc.receiver(*steps)
    agent = sc.agent(sc.main_job(index, log.path))
    log.write(records)
    sc.wait(lambda: agent.ledger()["pipelines"][0]["outputs"][0]["dead_lettered"] == records, "all are dead letters")
    ledger = sc.settled(agent)
    assert ledger["pipelines"][0]["outputs"][0]["retries"] <= 2 * records, ledger
    letters = agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    assert letters.count(reason) >= records, letters[:1000]
    index.script()
    agent.stop()
    agent.command("deadletter", "replay", "-c", agent.config_path)
    agent.start()
    sc.arrived(index, records)
    sc.settled(agent)
    assert_exactly(index.docs(), records)


def always_too_large(sc):
    never_taken(sc, 200, b"413", {"status": 413, "count": "forever"})


def always_malformed(sc):
    never_taken(sc, 200, b"400", {"status": 400, "count": "forever"})


def an_index_that_is_missing(sc):
    never_taken(sc, 200, b"index_not_found_exception", {"items": [{"status": 404}], "count": "forever"})


def tried_for_too_long(sc):
    """After retry.max_age a record is a dead letter; sent again from there it has the id that it always had: here the
    index has taken it in, and only the answer was lost."""
    records = 200
    log, index = sc.log("app.log"), sc.receiver({"how": "close", "store": True}, {"status": 503, "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path, output={"retry": {"initial": "100ms", "max": "500ms", "max_age": "2s"}}))
    log.write(records)
    sc.wait(lambda: agent.ledger()["pipelines"][0]["outputs"][0]["dead_lettered"] == records, "all are dead letters")
    assert b"retry_max_age" in agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    index.script()
    agent.command("deadletter", "replay", "-c", agent.config_path)
    sc.wait(lambda: index.stats()["conflicts"] >= records, "the index has met them before")
    sc.settled(agent)
    assert_exactly(index.docs(), records)


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


run(statuses, retry_after_is_honoured, retry_after_as_a_date, answers_cut_at_every_byte, answers_in_chunks_cut_at_every_byte,
    answers_of_http_1_0_cut_at_every_byte, other_forms, no_http, answers_without_end, a_redirect, wrong_credentials,
    credentials_that_stop_working, forbidden, not_found, always_too_large, always_malformed, tried_for_too_long, an_index_that_is_missing, answers_lost_on_the_way, broken_requests, hanging, slow, odd_bodies, endless_body,
    spellings_of_a_partial_failure, items_retried_alone, items_never_taken, too_large, a_single_record_too_large,
    gzip, two_urls_one_dead)  # fmt: skip
