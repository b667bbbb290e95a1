"""current.log is a symlink that is pointed at the next file: the old one is drained, the new one read."""

import os

from sluice_e2e import run


def point(link, target):
    os.symlink(target, link + ".new")
    os.rename(link + ".new", link)


def start(sc):
    first, second = sc.log("app-1.log"), sc.log("app-2.log", first=100_000)
    link, index = sc.path("logs", "current.log"), sc.index()
    point(link, first.path)
    agent = sc.agent(sc.main_job(index, link))
    first.write(1000)
    sc.arrived(index, 1000)
    return first, second, link, index, agent


def while_running_with_bytes_unread(sc):
    first, second, link, index, agent = start(sc)
    with agent.paused():
        first.write(3000)
        second.write(500)
        point(link, second.path)
    sc.arrived(index, 4500)
    second.write(500)
    sc.delivered_exactly(agent, index, first, second)


def there_and_back(sc):
    first, second, link, index, agent = start(sc)
    point(link, second.path)
    second.write(500)
    sc.arrived(index, 1500)
    first.write(500)
    point(link, first.path)
    sc.delivered_exactly(agent, index, first, second)


def while_stopped(sc):
    first, second, link, index, agent = start(sc)
    agent.stop()
    second.write(500)
    point(link, second.path)
    agent.start()
    sc.delivered_exactly(agent, index, first, second)


run(while_running_with_bytes_unread, there_and_back, while_stopped)
