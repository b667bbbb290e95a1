"""The harness would notice: a lost, doubled or invented record, a ledger that does not add up, a secret."""

import os

from sluice_e2e import assert_balanced, assert_exactly, assert_none_lost, find_secrets, run


def refused(check, *arguments):
    """The message with which the check fails."""
    try:
        check(*arguments)
    except AssertionError as err:
        return str(err)
    raise AssertionError(f"{check.__name__} did not fail on {arguments}")


def lost_and_doubled_records_are_named(sc):
    docs = [{"n": n} for n in range(10)]
    assert_exactly(docs, 10)
    assert "1 lost: 3" in refused(assert_exactly, docs[:3] + docs[4:], 10)
    assert "1 doubled: 7" in refused(assert_exactly, docs + [{"n": 7}], 10)
    assert "1 never written: 11" in refused(assert_exactly, docs + [{"n": 11}], 10)
    assert "10 lost" in refused(assert_exactly, [], 10)


def a_record_twice_is_told_from_two_records(sc):
    found = [(n, f"id-{n}") for n in range(10)]
    assert assert_none_lost(found, 10) == 0
    assert assert_none_lost(found + found[:3], 10) == 3
    assert "1 lost: 3" in refused(assert_none_lost, found[:3] + found[4:], 10)
    assert "1 never written: 10" in refused(assert_none_lost, found + [(10, "id-10")], 10)
    assert "1 are there under several ids: 7" in refused(assert_none_lost, found + [(7, "other")], 10)


def a_ledger_that_does_not_add_up_is_refused(sc):
    output = {"name": "search", "delivered": 90, "buffered": 5, "in_flight": 5, "dead_lettered": 2, "filtered": 0, "dropped": {}}
    pipeline = {"name": "main", "received": 100, "recovered": 7, "filtered": 4, "dead_lettered": 0, "on_the_way": 0, "journaled": 102,
                "dropped": {"max_age": 1}, "outputs": [output]}  # fmt: skip
    ledger = {"pipelines": [pipeline]}
    assert_balanced(ledger)
    output["delivered"] = 89
    message = refused(assert_balanced, ledger)
    assert "main -> search: 102 records came in" in message and "= 101" in message, message
    output["delivered"], pipeline["received"] = 90, 99
    assert "main: 106 records came in" in refused(assert_balanced, ledger)
    refused(assert_balanced, {"pipelines": []})


def secrets_are_found_and_not_told(sc):
    path = sc.path("output.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"a": "hunter2secret"}')
    (found,) = find_secrets(["absent", "hunter2secret"], [sc.dir])
    assert path in found and "hunter2secret" not in found, found
    assert not find_secrets(["absent"], [sc.dir])
    assert find_secrets(["x1"], {"page": b"..x1.."})


def the_programs_secrets_are_in_their_own_logs(sc):
    """So that finding none of them in an output means something."""
    for kind in ("winston", "loguru"):
        app = sc.application(kind, count=200)
        sc.wait(app.is_done, f"{kind} has written everything")
        assert sorted(app.numbers("combined*.log" if kind == "winston" else "health_checker*")) == list(range(200))
        assert app.leaks([app.folder]), f"{kind} leaks nothing"
        assert find_secrets([secret.decode() for secret in app.secrets()[-5:]], [app.folder])


def the_writer_rotates_without_losing_its_place(sc):
    log = sc.log("app.log")
    log.write(3).write_half()
    log.write(2)
    log.rotate_by_rename()
    log.write(1)
    log.copytruncate(sc.path("copy"))
    assert os.path.getsize(log.path) == 0
    log.write(1)
    with open(f"{log.path}.1", "rb") as rotated:
        assert rotated.read().count(b"\n") == 5
    assert log.count == 7 and list(log.numbers) == list(range(7))


def a_writer_without_append_leaves_a_hole(sc):
    log = sc.log("app.log", append=False)
    log.write(10)
    size = os.path.getsize(log.path)
    log.copytruncate()
    log.write(1)
    with open(log.path, "rb") as source:
        assert source.read().startswith(b"\0" * size + b"{")


run(lost_and_doubled_records_are_named, a_record_twice_is_told_from_two_records, a_ledger_that_does_not_add_up_is_refused,
    secrets_are_found_and_not_told, the_programs_secrets_are_in_their_own_logs, the_writer_rotates_without_losing_its_place,
    a_writer_without_append_leaves_a_hole)  # fmt: skip
