"""The keeper: one agent that follows the files of many cages, and is stopped, killed and paused meanwhile."""

import json
import os
import random
import signal
import time

import species
from cage import Cage
from sluice_e2e import assert_balanced

STEPS = 60
APPS = 3
QUIET = 20  # seconds for the last line of a rotated file to count as complete, and more
UNREAD = 20  # for what was removed unread
EXCLUDE = ["*.gz", "*.tmp"]


class Arrived:
    """The texts that came out, counted; reads what was added to the output since the last look. After a kill
    the `file` output cuts off what it had not noted: then all is read again."""

    def __init__(self, path, text_of):
        self.path = path
        self.text_of = text_of
        self.forget()

    def forget(self):
        self.counts = {}
        self.at = 0
        self.rest = b""

    def look(self):
        try:
            self._take(self._read())
        except ValueError:
            self.forget()
            self._take(self._read())

    def _read(self):
        if not os.path.exists(self.path):
            return b""
        with open(self.path, "rb") as source:
            if os.fstat(source.fileno()).st_size < self.at:
                self.forget()
            source.seek(self.at)
            data = source.read()
        self.at += len(data)
        return data

    def _take(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            text = self.text_of(line)
            self.counts[text] = self.counts.get(text, 0) + 1

    def count(self, text):
        return self.counts.get(text, 0)


class Keeper:
    def __init__(self, sc, seeds, only=None, output="file"):
        self.sc = sc
        self.dice = random.Random(seeds[0])
        self.agent = None
        self.is_paused = False
        self.unsafe_to_kill = False
        self.output = output
        self.cages = [Cage(sc.path("logs", f"seed-{seed}"), seed, self) for seed in seeds if only in (None, seed)]
        self.apps = {cage: self.settle_in(cage) for cage in self.cages}
        self.arrived, config = self.make_output()
        self.config = {"service": sc.service(), "pipelines": {"zoo": {
            "inputs": [{"tail": self.options(cage)} for cage in self.cages], "filters": [],
            "outputs": [config], "buffer": {"fsync": self.dice.choice(["100ms", "1s", "batch"])}}}}  # fmt: skip

    def settle_in(self, cage):
        return [cage.dice.choice(species.ALL)(cage, f"{chr(ord('a') + number)}") for number in range(APPS)]

    def options(self, cage):
        options = {"path": [path for app in self.apps[cage] for path in app.wanted], "exclude": EXCLUDE}
        if cage.seed % 5 == 4:
            options.update(watch="poll", poll_interval="40ms")
        if self.is_short_of_files(cage):
            options.update(max_open_files=8)
        return options

    def is_short_of_files(self, cage):
        return cage.seed % 7 == 6

    def make_output(self):
        if self.output == "file":
            path = self.sc.path("out", "out.ndjson")
            return Arrived(path, lambda line: json.loads(line)["message"]), {"file": {"path": path}}
        index = self.sc.receiver()
        path = os.path.join(index.state, "docs")
        return Arrived(path, lambda line: json.loads(line.split(b"\t", 1)[1])["message"]), {"elasticsearch": {"url": [index.url], "index": "zoo"}}

    # -- the agent -----------------------------------------------------------------------------

    @property
    def is_running(self):
        return self.agent and self.agent.process and not self.is_paused

    def has_open(self, path):
        """Whether the agent has a descriptor of this very file."""
        wanted, folder = os.stat(path), f"/proc/{self.agent.process.pid}/fd"
        for name in os.listdir(folder):
            try:
                found = os.stat(os.path.join(folder, name))
            except FileNotFoundError:
                continue
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
        return False

    def tell(self, *words):
        for cage in self.cages:
            cage.say("--", *words)

    def pause(self, on):
        if on != self.is_paused:
            self.tell("pause" if on else "go on")
            self.agent.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
            self.is_paused = on

    def end(self, kill):
        """A removed file is only in the agent's descriptors: what was not read of it would go with them."""
        self.pause(False)
        for cage in self.cages:
            cage.wait_for_unread(UNREAD)
        self.tell("kill" if kill else "stop")
        self.agent.kill() if kill else self.agent.stop()

    def start(self):
        self.tell("start")
        if self.agent:
            self.agent.start(wait=self.dice.randrange(3) > 0)
        else:
            self.agent = self.sc.agent(self.config)

    def kill_between(self, cage):
        """At once: a copy is not waited for as long as removed files may have to be."""
        if self.is_running and not any(each.missing(each.unread) for each in self.cages):
            cage.say("kill in between")
            self.end(kill=True)
            self.start()

    def disturb(self):
        """What happens to the agent between two rounds: mostly nothing."""
        what = self.dice.randrange(14)
        if not self.agent.process:
            if what < 6:
                self.start()
        elif self.is_paused:
            self.pause(what > 6)
        elif what < 2:
            self.end(kill=what == 0)
        elif what == 2:
            self.end(kill=True)
            self.start()
        elif what == 3:
            self.pause(True)

    # -- the show ------------------------------------------------------------------------------

    def step(self, cage):
        app = cage.dice.choice(self.apps[cage])
        what = cage.dice.randrange(20)
        if what < 5:
            app.rotate()
        elif what == 5:  # faster than any reader
            for _ in range(cage.dice.randrange(2, 4)):
                app.rotate()
                app.write()
        elif what == 6:
            app.other()
        else:
            app.write()

    def play(self):
        self.start()
        for cage in self.cages:
            for app in self.apps[cage]:
                app.write(half=False)
        for cage in self.cages:  # only a name that is known tells of files rotated away from it
            assert all(cage.has_arrived(body, 20) for body in cage.bodies.values()), "the first lines did not come"
        for _ in range(STEPS):
            for cage in self.cages:
                self.step(cage)
            self.disturb()
        if not self.agent.process:
            self.start()
        self.pause(False)
        for cage in self.cages:
            for app in self.apps[cage]:
                app.finish()

    def judge(self):
        """One list of faults for each seed that has any."""
        deadline = time.monotonic() + QUIET
        while any(cage.missing(cage.slots) for cage in self.cages) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert_balanced(self.sc.settled(self.agent))
        self.arrived.forget()
        return {cage.seed: faults for cage in self.cages if (faults := self.faults(cage))}

    def faults(self, cage):
        self.arrived.look()
        faults, known = [], set()
        for slot in cage.slots:
            times = sum(self.arrived.count(text) for text in slot.texts)
            known.update(slot.texts)
            if times == 0 and not slot.optional:
                faults.append(f"lost: {slot.texts[0][:60]}")
            elif times > 1:
                faults.append(f"came {times} times: {slot.texts[0][:60]}")
        mark = f"s{cage.seed} "
        strangers = [text for text in self.arrived.counts if text.startswith(mark) and text not in known]
        return faults + [f"never written: {text[:60]}" for text in strangers]
