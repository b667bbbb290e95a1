"""Access lines of nginx and lines of one's own pattern: each arrives once, with the right members, whatever clients send."""

import time

from sluice_e2e import run
from sluice_e2e import ledger as ledgers
from sluice_e2e.writer import LogWriter

# As nginx writes them (it spells quotes and control characters \x22), and as they arrive.
AGENTS = [
    (b"Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0", "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0"),
    (b"-", None),
    (b"", ""),
    (b'\\x22}, {\\x22create\\x22: {}}', '\\x22}, {\\x22create\\x22: {}}'),
    (b"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\u00e9 \U0001f600"),
    (b"latin-1 caf\xe9", "latin-1 caf\ufffd"),
    (b"tab\there\x01", "tab\there\x01"),
    (b"x" * 4000, "x" * 4000),
]  # fmt: skip
REQUESTS = [
    (b"GET /api/v1/appointments?n=%d HTTP/1.1", {"method": "GET", "path": "/api/v1/appointments?n=%d", "protocol": "HTTP/1.1"}),
    (b"POST /leads HTTP/2.0", {"method": "POST", "path": "/leads", "protocol": "HTTP/2.0"}),
    (b"\\x16\\x03\\x01", {"request": "\\x16\\x03\\x01"}),
    (b"-", {}),
    (b"GET /a b HTTP/1.1", {"request": "GET /a b HTTP/1.1"}),
]
USERS = [(b"-", None), (b"anna", "anna"), (b"van der Berg", "van der Berg")]
FIRST_SECOND = 1_700_000_000


class AccessLog(LogWriter):
    """Lines in nginx's format `combined`. The number of a record is its count of bytes."""

    def line(self, n):
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(FIRST_SECOND + n // 100)).encode()
        request = REQUESTS[n % len(REQUESTS)][0]
        request = request % n if b"%d" in request else request
        user, agent = USERS[n % len(USERS)][0], AGENTS[n % len(AGENTS)][0]
        return b'192.0.2.1 - %b [%b] "%b" 200 %d "https://www.example.com/" "%b"\n' % (user, stamp, request, n, agent)

    @staticmethod
    def members(n):
        """What the document of line n has, beside what every record has."""
        request = {name: text % n if "%d" in text else text for name, text in REQUESTS[n % len(REQUESTS)][1].items()}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(FIRST_SECOND + n // 100))
        found = {"user": USERS[n % len(USERS)][1], "agent": AGENTS[n % len(AGENTS)][1], **request}
        return {"@timestamp": stamp, "client": "192.0.2.1", "status": 200, "referer": "https://www.example.com/", "n": n,
                **{name: text for name, text in found.items() if text is not None}}  # fmt: skip


NAMES = {"@timestamp", "client", "ident", "user", "time", "method", "path", "protocol", "request", "status", "referer", "agent", "extra", "n",
         "message", "parse_error"}  # fmt: skip


def assert_members(docs):
    for doc in docs:
        got, want = {name: value for name, value in doc.items() if name in NAMES}, AccessLog.members(doc["n"])
        assert got == want, f"the record is {got}, not {want}"


def lines_of_nginx(sc):
    """While the log is rotated and the agent killed."""
    log, index = sc.log("access.log", kind=AccessLog), sc.index()
    filters = [{"parse": {"format": "nginx", "time": {"field": "time", "keep": False}}}, {"edit": {"rename": {"bytes": "n"}}}]
    agent = sc.agent(sc.main_job(index, log.path + "*", filters=filters))
    with log.background(rate=4000):
        for _ in range(3):
            time.sleep(0.7)
            log.rotate_by_rename()
            time.sleep(0.3)
            agent.kill()
            agent.start()
    sc.delivered_exactly(agent, index, log)
    assert_members(index.docs())


class WorkerLog(LogWriter):
    def line(self, n):
        took = b"-" if n % 10 == 0 else b"%d.25" % n
        return b"2024-05-01 12:34:56,%03d WARN [queue-%d] job %d took %b s\n" % (n % 1000, n % 3, n, took)


WORKER_PATTERN = r"^(?<time>\S+ \S+) (?<level>[A-Z]+) \[(?<thread>[^\]]*)\] job (?<n>\d+) took (?<took>\S+) s$"


def lines_of_a_pattern_and_what_does_not_match(sc):
    """What has not the form goes to the dead letters with the reason; a `-` for a number stays text and is counted."""
    log, index = sc.log("worker.log", kind=WorkerLog), sc.receiver()
    parse = {"format": "regex", "pattern": WORKER_PATTERN, "types": {"n": "int", "took": "float"}, "on_error": "dead_letter",
             "time": {"field": "time", "zone": "+02:00", "keep": False}}  # fmt: skip
    agent = sc.agent(sc.main_job(index, log.path, filters=[{"parse": parse}]))
    log.write(500)
    log.write_raw(b"Traceback (most recent call last):\n\xff\xfe\n\n")
    log.write(500)
    sc.arrived(index, log.count)
    ledger = sc.settled(agent)
    docs = {doc["n"]: doc for doc in index.docs()}
    assert sorted(docs) == list(range(1000)), "each of the 1000 lines should have arrived once"
    assert docs[17]["took"] == 17.25 and docs[20]["took"] == "-", f"took: {docs[17]}, {docs[20]}"
    assert docs[17]["@timestamp"] == "2024-05-01T10:34:56.017Z", f"the time of {docs[17]}"
    assert docs[17]["level"] == "WARN" and docs[17]["thread"] == "queue-2" and "time" not in docs[17], f"{docs[17]}"
    assert ledgers.total(ledger, "dead_lettered") == 2, f"two lines do not match: {ledger}"
    assert agent.metric("sluice_parse_unconverted_total") == 100, "a tenth of the numbers are none"
    agent.stop()
    shown = agent.command("deadletter", "show", "--data-dir", agent.data_dir, check=False)
    said = (shown.stdout + shown.stderr).decode()
    assert said.count('"reason":"the pattern does not match"') == 2, f"the dead letters: {said}"


run(lines_of_nginx, lines_of_a_pattern_and_what_does_not_match)
