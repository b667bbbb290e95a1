"""run --once reads everything to its end, delivers all of it and ends with 0; again, there is nothing left to do."""

import os

from sluice_e2e import assert_exactly, run


def reads_delivers_and_ends(sc):
    log, index = sc.log("app.log"), sc.index()
    log.write(5000)
    log.rotate_by_rename()
    log.write(5000)
    agent = sc.agent(sc.main_job(index, log.path + "*"), start=False)
    said = agent.once()
    assert "10000" in said.replace(",", ""), f"the summary does not tell the number of records: {said}"
    assert_exactly(index.docs(), log.count)
    log.write(1000)
    agent.once()
    agent.once()
    assert_exactly(index.docs(), log.count)


def ends_with_1_when_not_all_was_delivered(sc):
    log, index = sc.log("app.log"), sc.receiver({"status": 401, "count": "forever"})
    log.write(100)
    output = {"retry": {"initial": "100ms", "max": "200ms", "max_age": "1s"}}
    agent = sc.agent(sc.main_job(index, log.path, output=output), start=False)
    done = agent.command("run", "-c", agent.config_path, "--once", check=False)
    assert done.returncode == 1, f"it ended with {done.returncode}: {done.stderr.decode()}"


def ends_with_1_when_not_all_could_be_read(sc):
    good, bad, index = sc.log("good.log"), sc.log("bad.log"), sc.index()
    good.write(100)
    bad.write(100)
    os.remove(bad.path)
    os.symlink("/proc/self/mem", bad.path)  # can be opened, but not read: also for root
    agent = sc.agent(sc.main_job(index, [good.path, bad.path]), start=False)
    done = agent.command("run", "-c", agent.config_path, "--once", check=False)
    said = done.stderr.decode()
    assert done.returncode == 1, f"it ended with {done.returncode}: {said}"
    assert "could not be read" in said and "not every record was delivered" in said, said
    assert_exactly(index.docs(), good.count)


run(reads_delivers_and_ends, ends_with_1_when_not_all_was_delivered, ends_with_1_when_not_all_could_be_read)
