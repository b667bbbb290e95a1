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


def sooner_than_anything_is_saved_at_leisure(sc):
    """Lives of 300 ms, shorter than the intervals of fsync, cursors and checkpoints: each still gets ahead."""
    log, index = sc.log("app.log"), sc.receiver()
    agent = sc.agent(sc.main_job(index, log.path), start=False)
    for _ in range(20):
        log.write(1000)
        agent.start(wait=False)
        time.sleep(0.3)
        agent.kill()
    again, read = index.stats()["conflicts"], checkpoint(agent)
    print(f"checkpoint at {read} of {log.bytes} bytes, {again} records sent again of {log.count}")
    assert read > log.bytes / 2, f"the checkpoint stands at {read} of {log.bytes} bytes"
    assert again < log.count, f"{again} records were sent again, of {log.count}"
    agent.start()
    sc.delivered_exactly(agent, index, log)


def checkpoint(agent):
    """Bytes of the one log that need not be read again: the eighth number of the tail input's value."""
    said = agent.command("state", "--data-dir", agent.data_dir).decode().split("  ")
    return max((int(value.split()[6]) for value in said if value.startswith("1 ")), default=0)


run(ten_times_while_the_log_is_written, ten_times_while_the_log_is_rotated, with_the_buffer_in_memory,
    sooner_than_anything_is_saved_at_leisure)  # fmt: skip
