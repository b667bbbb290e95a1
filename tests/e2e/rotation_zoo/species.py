"""Who lives in a cage: programs that log, each with its own way of rotation, as they are found in the field.

A species has a `path` it writes to, `patterns` for the agent, write() and rotate(). What `patterns` may leave
out is what the agent has to find by itself: the files that were rotated away from a path it follows.
"""

import gzip
import os

ROTATED = ("app.log*", "app.log")  # with the rotated files in sight, or without


class Species:
    file = "app.log"
    keep = 9
    patterns = ROTATED

    def __init__(self, cage, name):
        self.cage = cage
        self.name = name
        self.folder = cage.path(name)
        self.path = self.at(self.file)
        os.makedirs(os.path.dirname(self.path))
        self.wanted = [os.path.join(self.folder, cage.dice.choice(self.patterns))]
        cage.say(type(self).__name__, *map(cage.name, self.wanted))
        self.cage.make(self.path)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    # -- writing -------------------------------------------------------------------------------

    def write(self, path=None, lines=None, half=None):
        """So many lines in one write, and perhaps the beginning of another one."""
        cage, path = self.cage, path or self.path
        body, text = cage.bodies[path], []
        if lines is None:
            lines = cage.dice.randrange(1, 400) if cage.chance(1, 6) else cage.dice.randrange(1, 20)
        for _ in range(lines):
            line = body.half + cage.text(self.name)
            cage.expect(body, line)
            text.append(line[len(body.half) :] + "\n")
            body.half = ""
        if cage.chance(1, 3) if half is None else half:
            body.half += cage.text(self.name)
            text.append(body.half)
        cage.say("write", cage.name(path), lines, "lines", "and a half" if body.half else "")
        cage.append(path, "".join(text))

    def finish_line(self, path=None):
        body = self.cage.bodies[path or self.path]
        if body.half:
            self.cage.expect(body, body.half)
            body.half = ""
            self.cage.append(path or self.path, "\n")

    def finish(self):
        """The last words: every line gets its end."""
        self.write(lines=3, half=False)

    # -- rotation ------------------------------------------------------------------------------

    def shift(self, base, number_of):
        """base.1 -> base.2 ... in the order of logrotate and dockerd; False when the oldest has to stay."""
        cage, last = self.cage, 1
        while cage.exists(number_of(last)):
            last += 1
        if last > self.keep and not cage.remove(number_of(last := last - 1)):
            return False
        for number in range(last - 1, 0, -1):
            cage.rename(number_of(number), number_of(number + 1))
        return True

    def numbered(self, number):
        return f"{self.path}.{number}"

    def rotate(self):
        raise NotImplementedError

    def other(self):
        """Something else that happens at times."""


class Docker(Species):
    """dockerd's json-file with max-file, and Python's RotatingFileHandler: .1 -> .2, the file -> .1, a new file."""

    keep = 3

    def rotate(self):
        if not self.shift(self.path, self.numbered):
            return
        self.cage.complete(self.path)
        self.cage.rename(self.path, self.numbered(1))
        self.cage.make(self.path)


class Logrotate(Species):
    """create and delaycompress: the program goes on in the renamed file until it is told to open a new one."""

    def __init__(self, cage, name):
        super().__init__(cage, name)
        self.old = None  # still written to

    def reload(self):
        if self.old:
            self.cage.complete(self.old)
        self.old = None

    def write(self, path=None, lines=None, half=None):
        if self.old and not path and self.cage.chance(1, 2):
            super().write(self.old, lines, half=False)
            return
        self.reload()
        super().write(path, lines, half)

    def compress(self):
        """The second oldest and older: X -> X.gz, X removed."""
        number = 2
        while self.cage.exists(self.numbered(number)):
            squeeze(self.cage, self.numbered(number), f"{self.at('packed')}-{self.cage.stamp()}.gz")
            number += 1

    def rotate(self):
        self.reload()
        if not self.shift(self.path, self.numbered):
            return
        self.finish_line()
        self.cage.rename(self.path, self.numbered(1))
        self.old = self.numbered(1)
        self.cage.make(self.path)
        if self.cage.chance(1, 3):
            self.compress()

    def finish(self):
        self.reload()
        super().finish()


class DateExt(Species):
    """logrotate's dateext: app.log-20260101-120000; the new file may come later (nocreate)."""

    def rotate(self):
        cage = self.cage
        cage.complete(self.path)
        cage.rename(self.path, f"{self.path}-20260101-{cage.stamp()}")
        if cage.chance(1, 3):
            cage.let_agent_look()
        cage.make(self.path)


class CopyTruncate(Species):
    """logrotate's copytruncate: the copy, and then the same inode from 0. What is written between is lost by
    logrotate itself unless it was read in time."""

    def rotate(self):
        cage = self.cage
        if not self.shift(self.path, self.numbered):
            return
        body = cage.bodies[self.path]
        cage.let_agent_look()  # a copy out of sight is found by what is known of its original
        cage.complete(self.path)
        cage.copy(self.path, self.numbered(1))
        if cage.chance(1, 8):
            cage.keeper.kill_between(cage)
        if cage.chance(1, 4) and not body.half and self.is_well_known(body):
            self.write_between(body)
        cage.truncate(self.path)

    def is_well_known(self, body):
        """A whole head has been read: the copy is known even when more was read than it holds."""
        return sum(len(slot.texts[0]) for slot in body.slots) > 1024 and self.cage.has_arrived(body)

    def write_between(self, body):
        cage = self.cage
        lost = cage.text(self.name)
        cage.expect(body, lost, optional=True)
        cage.say("write between copy and truncation")
        cage.append(self.path, lost + "\n")
        if cage.chance(1, 2):
            cage.let_agent_look()


class Winston(Docker):
    """winston's File with `tailable`: app1.log -> app2.log, app.log -> app1.log, a new app.log."""

    keep = 4
    patterns = ("app*.log",)

    def numbered(self, number):
        return self.at(f"app{number}.log")

    def rotate(self):
        self.finish_line()  # as winston does; the name alone does not tell that the file is complete
        super().rotate()


class WinstonUp(Species):
    """winston's File without `tailable`: when app.log is full it goes on in app1.log, then in app2.log; the
    oldest are removed."""

    patterns = ("app*.log",)

    def __init__(self, cage, name):
        super().__init__(cage, name)
        self.number = 0

    def rotate(self):
        cage = self.cage
        self.finish_line()  # nothing tells that the file is complete
        self.number += 1
        self.path = self.at(f"app{self.number}.log")
        cage.make(self.path)
        old = self.at(f"app{self.number - 3}.log")
        if cage.exists(old):
            cage.remove(old)


class Loguru(Species):
    """loguru: app.log -> app.2026-01-01_12-00-00_000001.log, a new app.log; old ones are removed or packed."""

    patterns = ("app*.log", "app.log")

    def __init__(self, cage, name):
        super().__init__(cage, name)
        self.rotated = []

    def rotate(self):
        cage = self.cage
        cage.complete(self.path)
        self.rotated.append(self.at(f"app.2026-01-01_12-00-00_{cage.stamp()}.log"))
        cage.rename(self.path, self.rotated[-1])
        cage.make(self.path)
        if len(self.rotated) > 3:
            self.retire(self.rotated[0])

    def retire(self, path):
        cage = self.cage
        gone = squeeze(cage, path, path + ".gz") if cage.chance(1, 2) else cage.remove(path)
        if gone:
            self.rotated.remove(path)


class Kubelet(Species):
    """A container's log: a link in /var/log/containers leads to pods/.../0.log, which is renamed to
    0.log.YYYYMMDD-HHMMSS; older ones are packed. A container that starts again writes to 1.log."""

    file = "pods/pod/0.log"
    patterns = ("containers/*.log", "pods/*/*.log", "{containers,pods/*}/*.log")

    def __init__(self, cage, name):
        super().__init__(cage, name)
        self.starts = 0
        self.rotated = []
        os.makedirs(self.at("containers"))
        self.link()

    def link(self):
        os.symlink(self.path, self.at("containers", f"pod-{self.starts}.log"))

    def rotate(self):
        cage = self.cage
        cage.complete(self.path)
        self.rotated.append(f"{self.path}.20260101-{cage.stamp()}")
        cage.rename(self.path, self.rotated[-1])
        if cage.chance(1, 3):
            cage.let_agent_look()
        cage.make(self.path)
        if len(self.rotated) > 1:
            self.pack(self.rotated[0])

    def pack(self, path):
        if squeeze(self.cage, path, path + ".gz", through=path + ".tmp"):
            self.rotated.remove(path)

    def other(self):
        """The container ends and is started again; the link to the old log stays until that was read."""
        cage = self.cage
        if not cage.keeper.is_running or not cage.has_arrived(cage.bodies[self.path]):
            return
        old, link = self.path, self.at("containers", f"pod-{self.starts}.log")
        self.starts += 1
        self.path = self.at("pods", "pod", f"{self.starts}.log")
        cage.say("restart", cage.name(self.path))
        cage.make(self.path)
        self.link()
        self.write(lines=1, half=False)
        cage.has_arrived(cage.bodies[self.path])  # only a name that is known tells of files rotated away from it
        os.unlink(link)
        cage.remove(old)


class Linked(Species):
    """app.log is a link to the file of the day, swapped with a rename."""

    file = "day-0.txt"
    patterns = ("app.log",)

    def __init__(self, cage, name):
        super().__init__(cage, name)
        self.day = 0
        os.symlink(self.file, self.at("app.log"))

    def rotate(self):
        cage = self.cage
        if not cage.keeper.is_running or not cage.keeper.has_open(self.path):
            return  # nothing leads to the old file any more
        cage.complete(self.path)
        self.day += 1
        self.path = self.at(f"day-{self.day}.txt")
        cage.make(self.path)
        self.write(lines=1, half=False)
        cage.say("swap", cage.name(self.path))
        os.symlink(os.path.basename(self.path), self.at("app.new"))
        os.rename(self.at("app.new"), self.at("app.log"))
        self.wait_for_it()

    def wait_for_it(self):
        cage = self.cage
        cage.unread += [slot for body in cage.bodies.values() for slot in body.slots if body is not cage.bodies[self.path]]
        cage.has_arrived(cage.bodies[self.path])


class Careless(Species):
    """Removes and makes anew, empties in place, links twice: what people do by hand."""

    patterns = ("app.log", "*.log")

    def rotate(self):
        cage = self.cage
        how = cage.dice.randrange(3)
        if how == 0 and not cage.bodies[self.path].half and cage.remove(self.path):
            cage.make(self.path)
        elif how == 1 and cage.has_arrived(cage.bodies[self.path]):
            cage.truncate(self.path)
        elif how == 2:
            self.link_for_a_while()

    def link_for_a_while(self):
        cage, other = self.cage, self.at("other.log")
        cage.say("link", cage.name(other))
        (os.link if cage.chance(1, 2) else os.symlink)(self.path, other)
        cage.let_agent_look()
        os.unlink(other)


ALL = (Docker, Logrotate, DateExt, CopyTruncate, Winston, WinstonUp, Loguru, Kubelet, Linked, Careless)


def squeeze(cage, path, packed, through=None):
    """Packs what has arrived, or is open, and removes it. False when it has to stay."""
    body = cage.bodies[path]
    if not cage.has_arrived(body):
        return False
    cage.say("pack", cage.name(path))
    with open(path, "rb") as source, gzip.open(through or packed, "wb") as out:
        out.write(source.read())
    if through:
        os.rename(through, packed)
    return cage.remove(path)
