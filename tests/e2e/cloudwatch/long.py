"""A million records of fifty streams into moto, with a restart on the way."""

import json
from collections import Counter

from sluice_e2e import LogWriter, assert_exactly, run

HOSTS = 50
RECORDS = 1_000_000


class MixedWriter(LogWriter):
    def line(self, n):
        return json.dumps({**json.loads(super().line(n)), "host": f"h{n % HOSTS}"}, separators=(",", ":")).encode() + b"\n"


def a_million_in_order(sc):
    moto, log = sc.moto(), sc.log("app.log", MixedWriter)
    config = sc.main_job(moto, log.path, output={"request": {"max_age": "1s"}}, service={"shutdown_timeout": "30m"})
    agent = sc.agent(config)
    for part in range(10):
        log.write(RECORDS // 10)
        if part == 4:
            agent.stop(seconds=1800)
            agent.start()
    sc.settled(agent, seconds=3600)
    times = Counter()
    for stream in moto.streams():
        numbers = [record["n"] for record in moto.records(stream)]
        times.update(numbers)
        assert numbers == sorted(numbers), f"{stream} is out of order"
        assert all(f"h{n % HOSTS}" == stream for n in numbers), f"{stream} holds records of others"
    assert_exactly([{"n": n} for n in times.elements()], RECORDS)
    ledger = agent.ledger()["pipelines"][0]["outputs"][0]
    assert ledger["dead_lettered"] == 0 and not ledger["dropped"], ledger


run(a_million_in_order)
