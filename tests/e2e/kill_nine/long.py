"""The same as test.py, two hundred times, with rotations."""

import random
import time

from sluice_e2e import run


def two_hundred_times(sc):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + "*"))
    dice = random.Random(815)
    with log.background(rate=3000):
        for number in range(200):
            time.sleep(dice.uniform(0, 1))
            agent.kill()
            if number % 10 == 0:
                log.rotate_by_rename(keep=30)
            agent.start()
    sc.delivered_exactly(agent, index, log, seconds=600)


run(two_hundred_times)
