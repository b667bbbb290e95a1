"""A new file on a used inode is a new file: it is read from its start."""

import os

from sluice_e2e import LogWriter, run

SPARES = 20_000  # an ext4 gives the lowest free number of the folder's group: whoever deleted much left many below
ROUNDS = 5  # another program may have got the number meanwhile


def took_inode(path, inode, spares):
    """True if a new, empty file at `path` got this inode number; `spares` is an empty folder for those that did not."""
    try:
        for number in range(SPARES):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            if os.stat(path).st_ino == inode:
                return True
            os.rename(path, os.path.join(spares, str(number)))
        return False
    finally:
        for spare in os.listdir(spares):
            os.unlink(os.path.join(spares, spare))


def scenario(sc, name, records):
    log, index = sc.log("app.log"), sc.index()
    agent = sc.agent(sc.main_job(index, sc.path("logs", "*.log")))
    spares, logs = sc.path("spares"), []
    os.mkdir(spares)
    for _ in range(ROUNDS):
        logs.append(log)
        log.write(1000)
        known = len(logs) * 1000
        sc.arrived(index, known)
        agent.stop()
        inode = os.stat(log.path).st_ino
        log.close()
        os.unlink(log.path)
        if took_inode(sc.path("logs", name), inode, spares):
            new = LogWriter(sc.path("logs", name), first=known)
            new.write(records)
            agent.start()
            sc.delivered_exactly(agent, index, *logs, new)
            new.close()
            return
        log = LogWriter(sc.path("logs", "app.log"), first=known)
        agent.start()
    sc.skip(f"the file system of {sc.dir} does not use an inode number again soon")


def a_longer_file_of_the_same_name(sc):
    scenario(sc, "app.log", 3000)


def a_shorter_file_of_another_name(sc):
    scenario(sc, "other.log", 200)


def a_longer_file_of_another_name(sc):
    scenario(sc, "other.log", 3000)


run(a_longer_file_of_the_same_name, a_shorter_file_of_another_name, a_longer_file_of_another_name)
