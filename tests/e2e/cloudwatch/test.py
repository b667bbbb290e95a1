"""The main job into CloudWatch Logs, as moto plays it, with its signature and permission checks on."""

import json
from collections import Counter

from sluice_e2e import LogWriter, assert_exactly, error, run

HOSTS = 7
KILLS = 3


class MixedWriter(LogWriter):
    """Records of several hosts, one after another."""

    def line(self, n):
        return json.dumps({**json.loads(super().line(n)), "host": f"h{n % HOSTS}"}, separators=(",", ":")).encode() + b"\n"


def assert_in_order(moto, log):
    """Each record is there once, in its own stream, and in the order in which they were written."""
    docs = []
    for stream in moto.streams():
        records = moto.records(stream)
        numbers = [record["n"] for record in records]
        assert numbers == sorted(numbers), f"{stream} is out of order"
        assert all(f"h{n % HOSTS}" == stream for n in numbers), f"{stream} holds records of others"
        docs += records
    assert_exactly(docs, log.count)


def mixed_streams_arrive_in_order(sc):
    moto, log = sc.moto(), sc.log("app.log", MixedWriter)
    create = {"group": True, "retention_days": 14, "tags": {"team": "booking"}}
    agent = sc.agent(sc.main_job(moto, log.path, output={**moto.user("writer"), "create": create}))
    log.write(10000)
    with log.background(rate=4000):
        sc.wait(lambda: log.count >= 16000, "16,000 records are written")
    ledger = sc.settled(agent, seconds=120)
    assert ledger["pipelines"][0]["outputs"][0]["delivered"] == log.count, ledger
    assert_in_order(moto, log)
    (group,) = moto.ask("groups")
    assert group["logGroupName"] == "/app/booking" and group["retentionInDays"] == 14, group
    assert moto.ask("tags", group="/app/booking") == {"team": "booking"}
    assert len(moto.streams()) == HOSTS


def killed_and_restarted(sc):
    moto, log = sc.moto(), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(moto, log.path))
    with log.background(rate=4000):
        for _ in range(KILLS):
            before = log.count
            sc.wait(lambda before=before: log.count >= before + 3000, "records are written")
            agent.kill()
            agent.start()
        agent.stop()
        agent.start()
    ledger = sc.settled(agent)
    # There are no ids: what the journal was given twice, since its sync had not reached the checkpoint, or what had not
    # arrived as a whole frame when the agent was killed, is there again.
    times = Counter(doc["n"] for doc in moto.docs())
    assert_exactly([{"n": n} for n in times], log.count)
    doubled = sum(times.values()) - log.count
    print(f"{doubled} records of {log.count} are there again after {KILLS} kills")
    assert ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 0


def a_user_who_may_not_write_is_told(sc):
    moto, log = sc.moto(), sc.log("app.log", MixedWriter)
    stranger = moto.user("stranger", ["logs:DescribeLogGroups"])
    agent = sc.agent(sc.main_job(moto, log.path, output=stranger))
    log.write(100)
    sc.wait(lambda: b"403" in agent.page("/ready"), "the status tells that it is not allowed")
    assert moto.count() == 0
    sc.settled(agent, stuck=100)



# -- a service that is told what to do ------------------------------------------------------------

STREAMS = [("/app/booking", f"h{n}") for n in range(HOSTS)]


def assert_kept(sc, agent, logs, log):
    """Every record once, in the order of its stream, and no rule of the service broken."""
    sc.delivered_exactly(agent, logs, log)
    assert not logs.faults, Counter(logs.faults)
    for (_, stream), events in logs.events.items():
        numbers = [json.loads(message)["n"] for _, message in events]
        assert numbers == sorted(numbers), f"{stream} is out of order"


def throttled_half_the_time(sc):
    def script(number, action, request):
        return error("ThrottlingException", "Rate exceeded") if number % 2 else None

    logs, log = sc.fake_logs(script, STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path))
    log.write(20000)
    assert_kept(sc, agent, logs, log)
    assert logs.calls["PutLogEvents"] > 10


def missing_places_are_created_once(sc):
    logs, log = sc.fake_logs(), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path, output={"create": {"group": True, "retention_days": 3}, "in_order": False}))
    log.write(20000)
    sc.delivered_exactly(agent, logs, log)
    assert not logs.faults, Counter(logs.faults)
    assert len(logs.groups["/app/booking"]) == HOSTS
    assert logs.calls["CreateLogStream"] <= 2 * HOSTS, logs.calls  # once before there was a group
    assert logs.calls["CreateLogGroup"] <= HOSTS and logs.calls["PutRetentionPolicy"] == 1, logs.calls
    metric = agent.metric("sluice_cloudwatch_streams_created_total")
    assert metric == HOSTS, metric


def a_lost_answer_doubles_its_request_alone(sc):
    def script(number, action, request):
        return {3: "lost", 5: "reset"}.get(number) if action == "PutLogEvents" else None

    logs, log = sc.fake_logs(script, STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path, output={"request": {"max_records": 100}}))
    log.write(5000)
    sc.settled(agent)
    times = Counter(record["n"] for record in logs.records())
    assert_exactly([{"n": n} for n in times], log.count)
    assert sum(times.values()) - log.count == 100, "the request whose answer was lost is there twice"


def credentials_that_expire_are_asked_for_again(sc):
    def script(number, action, request):
        return error("ExpiredTokenException", "The security token included in the request is expired") if number == 4 else None

    logs, log = sc.fake_logs(script, STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path, output={"request": {"max_records": 200}}))
    log.write(5000)
    assert_kept(sc, agent, logs, log)
    assert "credentials are asked for again" in agent.log_text()


def a_clock_that_is_wrong_is_the_services(sc):
    def script(number, action, request):
        return error("InvalidSignatureException", "Signature expired") if number == 1 else None

    logs, log = sc.fake_logs(script, STREAMS, clock=3600), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path))
    log.write(1000)
    assert_kept(sc, agent, logs, log)
    assert "clock of this machine is 3600 s off" in agent.log_text() or "3599 s off" in agent.log_text()


def what_is_rejected_is_a_dead_letter_and_the_rest_is_not_sent_again(sc):
    rejected = []

    def script(number, action, request):
        if action != "PutLogEvents" or number != 1:
            return None
        events = request["logEvents"]
        rejected.extend(json.loads(event["message"])["n"] for event in events[:3] + events[-2:])
        logs.events[request["logGroupName"], request["logStreamName"]] += [(event["timestamp"], event["message"]) for event in events[3:-2]]
        return 200, {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 3, "tooNewLogEventStartIndex": len(events) - 2}}

    logs, log = sc.fake_logs(script, STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path))
    log.write(5000)
    ledger = sc.settled(agent)
    assert ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 5
    assert_exactly(logs.records(), set(log.numbers) - set(rejected))
    letters = agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    assert letters.count(b"too old") >= 3 and letters.count(b"too new") >= 2, letters


def old_records_are_dead_letters_without_a_request(sc):
    logs, log = sc.fake_logs(streams=STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path))
    log.write(100)
    log.write_raw(b'{"timestamp":"2020-01-01 00:00:00","host":"h0","n":-1}\n{"timestamp":"2120-01-01 00:00:00","host":"h1","n":-2}\n')
    log.write_raw(b'{"n":-3,"message":"without a host"}\n')
    ledger = sc.settled(agent)
    assert ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 3
    assert_exactly(logs.records(), log.count)
    assert not logs.faults


def a_request_holds_what_the_service_takes(sc):
    logs, log = sc.fake_logs(streams=STREAMS[:1]), sc.log("app.log", extra={"host": "h0", "pad": "x" * 2000})
    log.write(12000)
    agent = sc.agent(sc.main_job(logs, log.path, output={"emf": True, "compress": "none", "request": {"max_age": "5s"}}))
    assert_kept(sc, agent, logs, log)
    assert logs.formats["json/emf"] == logs.calls["PutLogEvents"]
    full = 12000 * 2500 / 1048576
    assert logs.calls["PutLogEvents"] < full * 1.5, logs.calls


def paced(sc):
    logs, log = sc.fake_logs(streams=STREAMS), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path, output={"request": {"max_per_second": 20, "max_records": 50}}))
    log.write(3000)
    assert_kept(sc, agent, logs, log)
    times = logs.times
    most = max(sum(1 for other in times if 0 <= other - each < 1) for each in times)
    assert most <= 22, f"{most} requests within a second"


def credentials_that_rotate_all_the_time(sc):
    """Half of the requests are throttled meanwhile."""

    def script(number, action, request):
        return error("ThrottlingException", "Rate exceeded") if number % 2 else None

    cloud = sc.credentials(life=2)
    logs, log = sc.fake_logs(script, STREAMS, cloud=cloud), sc.log("app.log", MixedWriter)
    agent = sc.agent(sc.main_job(logs, log.path, output={"credentials": "container"}), start=False)
    agent.start(environment=cloud.environment)
    with log.background(rate=2000):
        sc.wait(lambda: log.count >= 14000, "seven seconds of records are written")
    assert_kept(sc, agent, logs, log)
    assert len(logs.keys) >= 4, logs.keys
    refused = {name: count for name, count in logs.calls.items() if name.endswith("Exception")}
    print(f"{len(logs.keys)} keys were used, refused: {refused}")


def check_connect_asks_without_leaving_anything(sc):
    moto = sc.moto()
    good = sc.agent(sc.main_job(moto, sc.path("none.log"), output=moto.user("writer")), start=False)
    good.command("check", "--connect", "-c", good.config_path)
    stranger = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "not-a-secret-of-moto"}
    bad = sc.agent(sc.main_job(moto, sc.path("none.log"), output=stranger), start=False, name="bad")
    done = bad.command("check", "--connect", "-c", bad.config_path, check=False)
    assert done.returncode == 1 and b"403" in done.stdout + done.stderr, done
    assert b"not-a-secret" not in done.stdout + done.stderr
    assert moto.ask("groups") == []


run(
    mixed_streams_arrive_in_order, killed_and_restarted, a_user_who_may_not_write_is_told, throttled_half_the_time,
    missing_places_are_created_once, a_lost_answer_doubles_its_request_alone, credentials_that_expire_are_asked_for_again,
    a_clock_that_is_wrong_is_the_services, what_is_rejected_is_a_dead_letter_and_the_rest_is_not_sent_again,
    old_records_are_dead_letters_without_a_request, a_request_holds_what_the_service_takes, paced,
    credentials_that_rotate_all_the_time, check_connect_asks_without_leaving_anything,
)
