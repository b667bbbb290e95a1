"""A new file on a used inode is a new file: it is read from its start."""

import os

from sluice_e2e import LogWriter, run

TRIES = 300


def recreate_on_the_same_inode(sc, log, name, first):
    """Deletes the log and makes a new one that got the same inode number."""
    inode = os.stat(log.path).st_ino
    log.close()
    os.unlink(log.path)
    path = sc.path("logs", name)
    spares = []
    for number in range(TRIES):
        new = LogWriter(path, first=first)
        if os.stat(path).st_ino == inode:
            for spare in spares:
                os.unlink(spare)
            return new
        new.close()
        spares.append(f"{path}.spare{number}")
        os.rename(path, spares[-1])
    sc.skip(f"the file system of {sc.dir} does not use an inode number again soon")


def scenario(sc, name, records):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log")))
    log.write(1000)
    sc.arrived(index, 1000)
    agent.stop()
    new = recreate_on_the_same_inode(sc, log, name, first=1000)
    new.write(records)
    agent.start()
    sc.delivered_exactly(agent, index, log, new)
    new.close()


def a_longer_file_of_the_same_name(sc):
    scenario(sc, "app.log", 3000)


def a_shorter_file_of_another_name(sc):
    scenario(sc, "other.log", 200)


def a_longer_file_of_another_name(sc):
    scenario(sc, "other.log", 3000)


run(a_longer_file_of_the_same_name, a_shorter_file_of_another_name, a_longer_file_of_another_name)
