"""Planted secrets are found nowhere: not in what is delivered, not in the journal (decoded, or its raw
bytes), not among the dead letters, not in the agent's log, its pages or its error messages."""

import base64
import json
import os
import re
import time

from sluice_e2e import find_secrets, run

KEYS = ["authorization", "x-api-key", "cookie", "password", "token", "secret", "session"]
REDACT = {"redact": {"keys": KEYS, "detect": "all"}}
FILTERS = [{"parse": {"format": "json", "time": {"field": "timestamp"}}}, REDACT]
MARK = "c4n4ry"  # part of every planted secret here


def word(number, length=24):
    return (f"{MARK}{number:06d}" + "Q7xW2mK9" * 8)[:length]


def spellings(text):
    """The ways in which JSON may spell a string."""
    yield json.dumps(text)
    yield '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'
    begin, middle, end = json.dumps(text[:5])[1:-1], "".join(f"\\u{ord(c):04X}" for c in text[5:9]), json.dumps(text[9:])[1:-1]
    yield f'"{begin}{middle}{end}"'.replace("/", "\\/")


def shapes(number):
    """JSON lines that hide the secret `word(number)`."""
    secret = word(number)
    email, bearer = f"{secret.lower()}@mail.example", f"Authorization: Bearer {secret}"
    jwt = "eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(json.dumps({"sub": secret}).encode()).decode().rstrip("=") + "." + secret * 2
    for spelled in spellings(secret):
        yield f'"headers":{{"X-Api-Key":{spelled},"host":"h"}}'
        yield f'"list":[1,[{{"PASSWORD":{spelled}}}],2]'
    for text in (email, bearer, jwt, f"password={secret}", f"https://u:{secret}@db.example/x", f'{{"token":"{secret}"}}', f"mail to {email}, now"):
        for spelled in spellings(text):
            yield f'"message":{spelled}'
    yield f'"cookie":{{"sid":"{secret}"}}'
    yield f'"cookie":["{secret}"]'
    yield f'"message":{json.dumps(json.dumps({"inner": json.dumps({"secret": secret})}))}'


def write_secrets(log, count):
    """Lines with a secret each, n counted from 0; some with broken JSON around it."""
    number = 0
    while number < count:
        for shape in shapes(number):
            log.write_raw(f'{{"timestamp":"2026-01-01 00:00:00","n":{number},{shape}}}\n'.encode())
            number += 1
    return number


def nowhere(sc, agent, index, marks):
    marks = [*marks, base64.b64encode(MARK.encode())[:7].decode()]
    journal = agent.command("journal", "cat", "--data-dir", agent.data_dir)
    letters = agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    assert journal.strip(), "the journal is empty: nothing was proven"
    pages = {page: agent.page(page) for page in ("/metrics", "/api/v1/ledger", "/live", "/ready")} if agent.process else {}
    places = {"delivered": index.raw_docs(), "journal": journal, "dead letters": letters, "log": agent.log_text().encode(), **pages}
    for name, data in places.items():
        places[name] = data.lower()
    leaks = find_secrets([mark.lower() for mark in marks], places) + find_secrets(marks, [agent.data_dir])
    assert not leaks, leaks


def in_what_is_delivered_and_kept(sc):
    log, index = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(index, log.path, filters=FILTERS))
    written = write_secrets(log, 500)
    sc.arrived(index, written)
    sc.settled(agent)
    assert sorted(doc["n"] for doc in index.docs()) == list(range(written))
    assert b"[REDACTED]" in index.raw_docs()
    nowhere(sc, agent, index, [MARK])


def while_the_index_is_away(sc):
    log, index = sc.log("app.log"), sc.receiver({"status": 503, "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path, filters=FILTERS, service={"shutdown_timeout": "1s"}))
    written = write_secrets(log, 500)
    sc.settled(agent, stuck=written)
    nowhere(sc, agent, index, [MARK])
    agent.kill()
    nowhere(sc, agent, index, [MARK])


def among_the_dead_letters(sc):
    rule = {"status": 400, "reason": "failed to parse field [message]"}
    log, index = sc.log("app.log"), sc.receiver({"items": [rule], "count": "forever"})
    agent = sc.agent(sc.main_job(index, log.path, filters=FILTERS))
    written = write_secrets(log, 200)
    sc.wait(lambda: agent.ledger()["pipelines"][0]["outputs"][0]["dead_lettered"] == written, "all are dead letters")
    sc.settled(agent)
    letters = agent.command("deadletter", "show", "--data-dir", agent.data_dir)
    assert b"failed to parse field [message]" in letters, "the dead letters do not tell Elasticsearch's reason"
    nowhere(sc, agent, index, [MARK])


def in_lines_that_do_not_parse(sc):
    log, index = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(index, log.path, filters=FILTERS))
    for number in range(100):
        secret = word(number)
        log.write_raw(f"GET / Authorization: Bearer {secret}\n".encode())
        log.write_raw(f'{{"n":{number},"password":"{secret}"\n'.encode())
        log.write_raw(f"user {secret.lower()}@mail.example said password={secret}\n".encode())
    sc.arrived(index, 300)
    sc.settled(agent)
    nowhere(sc, agent, index, [MARK])


def in_error_messages(sc):
    """Secrets of the configuration itself: in what check and run say about a broken one."""
    log, index = sc.log("app.log"), sc.receiver()
    path = sc.path("key")
    with open(path, "w", encoding="ascii") as out:
        out.write(word(1))
    config = sc.main_job(index, log.path, output={"auth": {"api_key": "${file:" + path + "}"}, "no_such_option": word(2)})
    agent = sc.agent(config, start=False)
    done = agent.command("check", "-c", agent.config_path, check=False)
    assert done.returncode == 2 and b"no_such_option" in done.stderr, done.stderr
    assert word(1).encode() not in done.stdout + done.stderr
    del config["pipelines"]["main"]["outputs"][0]["elasticsearch"]["no_such_option"]
    agent.write_config()
    index.script({"status": 401, "count": "forever"})
    agent.start()
    log.write(10)
    sc.wait(lambda: re.search("401", agent.log_text()), "the agent's log tells of the 401", 20)
    time.sleep(1)
    assert word(1) not in agent.log_text()
    assert not find_secrets([word(1)], [agent.data_dir]), "the API key is on the disk"
    assert any(word(1) in request["headers"].get("authorization", "") for request in index.requests()), "the key was never sent"
    assert os.path.exists(agent.log_path)


run(in_what_is_delivered_and_kept, while_the_index_is_away, among_the_dead_letters, in_lines_that_do_not_parse, in_error_messages)
