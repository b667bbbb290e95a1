"""kill -9 at any moment loses nothing and doubles nothing in the index."""

import random
import time

from sluice_e2e import run


def storm(sc, kills, path_suffix="", rotate=False, **more):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, log.path + path_suffix, **more))
    dice = random.Random(4711)
    with log.background(rate=5000):
        for number in range(kills):
            time.sleep(dice.uniform(0.02, 0.7))
            agent.kill()
            if rotate and number % 3 == 0:
                log.rotate_by_rename()
            agent.start()
    sc.delivered_exactly(agent, index, log, seconds=120)


def ten_times_while_the_log_is_written(sc):
    storm(sc, 10)


def ten_times_while_the_log_is_rotated(sc):
    storm(sc, 10, path_suffix="*", rotate=True)


def with_the_buffer_in_memory(sc):
    storm(sc, 5, buffer={"type": "memory"})


run(ten_times_while_the_log_is_written, ten_times_while_the_log_is_rotated, with_the_buffer_in_memory)
