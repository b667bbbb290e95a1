"""kill -9 two hundred times while a million records are written and rotated: a million documents, each once."""

import random
import time

from sluice_e2e import run

RECORDS = 1_000_000
KILLS = 200
RATE = 6000  # the last kills still find records being written
CHUNK = 10_000


def a_million_records(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + "*"))
    dice = random.Random(815)
    with log.background(rate=RATE):
        for number in range(KILLS):
            time.sleep(dice.uniform(0, 1))
            agent.kill()
            if number % 5 == 0:
                log.rotate_by_rename(keep=KILLS)
            agent.start()
    written = log.count
    assert written < RECORDS, f"{written} records were written during the kills: lower the rate"
    while log.count < RECORDS:
        log.write(min(CHUNK, RECORDS - log.count))
    print(f"{KILLS} kills within {written} records")
    sc.delivered_exactly(agent, index, log, seconds=1200)
    assert index.count() == RECORDS


run(a_million_records)
