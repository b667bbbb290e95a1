"""Doors of a real Kafka: who may come in, who may not, and what the log says about it. Nothing is lost meanwhile, and no
password is told."""

import json

from sluice_e2e import find_secrets, run
from sluice_e2e.kafka import PASSWORD, STRANGER, USER

RECORDS = 1000
WRONG = "wr0ng-w1tch-secret"
SECRETS = (PASSWORD, WRONG)


def sasl(kafka, user=USER, password=PASSWORD, mechanism="scram-sha-256", **tls):
    return {"brokers": kafka.addresses["SASL_SSL"], "tls": {"ca": kafka.tls("ca.pem"), **tls},
            "sasl": {"mechanism": mechanism, "username": user, "password": password}}  # fmt: skip


def client_certificate(kafka, **names):
    files = {"ca": "ca.pem", "cert": "client.pem", "key": "client.key", **names}
    return {"brokers": kafka.addresses["SSL"], "tls": {name: kafka.tls(value) if "." in value else value for name, value in files.items() if value}}


def begin(sc, options):
    log, kafka = sc.log("app.log"), sc.kafka().create()
    agent = sc.agent(sc.main_job(kafka, log.path, output=options(kafka)))
    log.write(RECORDS)
    return log, kafka, agent


def no_secret_is_told(agent, check=None):
    pages = {page: agent.page(page) for page in ("/metrics", "/api/v1/ledger", "/live", "/ready")}
    told = {"log": agent.log_text().encode(), "check": check.stdout + check.stderr if check else b"", **pages}
    leaks = find_secrets(SECRETS, told) + find_secrets(SECRETS, [agent.data_dir])
    assert not leaks, leaks


def accepted(sc, options):
    log, kafka, agent = begin(sc, options)
    sc.delivered_exactly(agent, kafka, log)
    check = agent.command("check", "-c", agent.config_path, "--connect", check=False)
    assert check.returncode == 0, check
    no_secret_is_told(agent, check)


def refused(sc, options, *says, connect=True):
    """Nothing arrives, the log and, where it is tried, `check --connect` tell why; with that mended, all arrives."""
    log, kafka, agent = begin(sc, options)
    for words in says:
        sc.wait(lambda words=words: words in agent.log_text(), f"the log says {words!r}", 30)
    ledger = sc.settled(agent, stuck=RECORDS)
    assert kafka.count() == 0 and ledger["pipelines"][0]["outputs"][0]["dead_lettered"] == 0, ledger
    check = agent.command("check", "-c", agent.config_path, "--connect", check=False) if connect else None
    assert not check or check.returncode == 1 and any(words in check.stdout.decode() for words in says), check
    no_secret_is_told(agent, check)
    agent.kill()
    agent.config["pipelines"]["main"]["outputs"][0]["kafka"].update(sasl(kafka))
    agent.write_config()
    agent.start()
    sc.delivered_exactly(agent, kafka, log)


def each_mechanism(sc):
    """One pipeline, three outputs, three topics."""
    log, kafka = sc.log("app.log"), sc.kafka()
    config = sc.main_job(kafka, log.path)
    mechanisms = ("plain", "scram-sha-256", "scram-sha-512")
    common = config["pipelines"]["main"]["outputs"].pop()["kafka"]
    for mechanism in mechanisms:
        topic = f"{kafka.topic}.{mechanism}"
        kafka.create(topic)
        output = {**common, **sasl(kafka, mechanism=mechanism), "topic": topic, "name": mechanism}
        config["pipelines"]["main"]["outputs"].append({"kafka": output})
    agent = sc.agent(config)
    log.write(RECORDS)
    sc.wait(lambda: all(kafka.count(f"{kafka.topic}.{mechanism}") == RECORDS for mechanism in mechanisms), "all topics are full")
    sc.settled(agent)
    for mechanism in mechanisms:
        assert [json.loads(record.value)["n"] for record in kafka.records(f"{kafka.topic}.{mechanism}")] == list(range(RECORDS))
    no_secret_is_told(agent)


def a_login(sc):
    accepted(sc, sasl)


def a_client_certificate(sc):
    accepted(sc, client_certificate)


def a_wrong_password(sc):
    refused(sc, lambda kafka: sasl(kafka, password=WRONG), "check `sasl.mechanism`, `sasl.username` and `sasl.password`", "uthentication failed")


def a_user_nobody_knows(sc):
    refused(sc, lambda kafka: sasl(kafka, user="nobody", mechanism="plain"), "`sasl.username`", connect=False)


def a_user_who_may_not_write(sc):
    refused(sc, lambda kafka: sasl(kafka, user=STRANGER), "Topic authorization failed")


def no_client_certificate(sc):
    refused(sc, lambda kafka: client_certificate(kafka, cert="", key=""), "bad certificate", connect=False)


def an_authority_of_others(sc):
    refused(sc, lambda kafka: sasl(kafka, ca=kafka.tls("stranger-ca.pem")), "`tls.ca`", "certificate verify failed")


def a_door_without_tls(sc):
    """TLS is spoken to where it is not understood."""
    refused(sc, lambda kafka: {"brokers": kafka.brokers, "tls": {"ca": kafka.tls("ca.pem")}}, "`brokers`", connect=False)


run(each_mechanism, a_login, a_client_certificate, a_wrong_password, a_user_nobody_knows, a_user_who_may_not_write,
    no_client_certificate, an_authority_of_others, a_door_without_tls)  # fmt: skip
