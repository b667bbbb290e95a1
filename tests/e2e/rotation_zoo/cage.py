"""A cage: one seed's folder, and what is truly in its files.

Every line that a program writes is a *slot*: texts of which exactly one has to arrive, once. Most slots
have one text. A line that stood in a file only between the copying and the truncation of copytruncate may
have been read or not: such a slot is optional. A *body* is what one inode holds: it keeps the slots in it,
through whatever names it goes, so that nothing is removed that is nowhere else and has not arrived.
"""

import os
import random
import shutil
import time

GRACE = 0.15  # seconds that let the agent look around


class Slot:
    __slots__ = ("optional", "slow", "texts")

    def __init__(self, *texts, optional=False, slow=False):
        self.texts = texts
        self.optional = optional
        self.slow = slow  # a last line without its end: a record only when its file has been still for a while


class Body:
    """What one inode holds."""

    def __init__(self, slots=()):
        self.slots = list(slots)
        self.half = ""  # an unfinished line at its end


class Cage:
    def __init__(self, folder, seed, keeper):
        self.folder = folder
        self.seed = seed
        self.keeper = keeper
        self.dice = random.Random(seed)
        self.slots = []
        self.bodies = {}  # path -> Body
        self.unread = []  # slots of files that were removed: only descriptors of the agent hold them
        self.trace = []
        self.lines = 0
        self.stamps = 0
        self.begun = time.monotonic()
        os.makedirs(folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def say(self, *words):
        self.trace.append(f"{time.monotonic() - self.begun:8.3f}  " + " ".join(map(str, words)))

    def name(self, path):
        return os.path.relpath(path, self.folder)

    def chance(self, *odds):
        """chance(1, 4): true once in four times."""
        return self.dice.randrange(odds[1]) < odds[0]

    def stamp(self):
        """Six digits, as of a time; later ones are higher."""
        self.stamps += 1
        return f"{self.stamps:06d}"

    # -- lines ---------------------------------------------------------------------------------

    def text(self, who):
        """A line like no other; most are short."""
        self.lines += 1
        size = self.dice.randrange(3000) if self.chance(1, 10) else self.dice.randrange(80)
        return f"s{self.seed} {who} {self.lines} {'x' * size}."

    def expect(self, body, *texts, **more):
        slot = Slot(*texts, **more)
        self.slots.append(slot)
        body.slots.append(slot)

    def append(self, path, text):
        with open(path, "ab", buffering=0) as out:
            out.write(text.encode())

    # -- what happens to files -----------------------------------------------------------------

    def make(self, path):
        """An empty new file."""
        with open(path, "xb"):
            self.bodies[path] = Body()

    def exists(self, path):
        return path in self.bodies

    def rename(self, old, new):
        self.say("rename", self.name(old), self.name(new))
        assert new not in self.bodies, f"{new} is there already"
        os.rename(old, new)
        self.bodies[new] = self.bodies.pop(old)

    def copy(self, old, new):
        """As cp does, in pieces. The copy is complete: an unfinished line in it is a line."""
        self.say("copy", self.name(old), self.name(new))
        assert new not in self.bodies, f"{new} is there already"
        with open(old, "rb") as source, open(new, "xb", buffering=0) as out:
            while piece := source.read(self.dice.choice((700, 4096, 1 << 20))):
                out.write(piece)
        shutil.copystat(old, new) if self.chance(1, 3) else None
        self.bodies[new] = Body(self.bodies[old].slots)

    def truncate(self, path):
        self.say("truncate", self.name(path))
        os.truncate(path, 0)
        self.bodies[path].slots = []

    def remove(self, path):
        """Removes what has arrived, or is in another file, or is open: False if it is none of these."""
        body = self.bodies[path]
        if not self.has_arrived(body) and not self.is_elsewhere(body) and not self.leave_to_agent(path):
            return False
        self.say("remove", self.name(path))
        os.unlink(path)
        del self.bodies[path]
        return True

    def complete(self, path):
        """Nobody writes to it any more: an unfinished line is a line."""
        body = self.bodies[path]
        if body.half:
            self.expect(body, body.half, slow=True)
        body.half = ""

    # -- what the agent has --------------------------------------------------------------------

    def has_arrived(self, body, seconds=1):
        """Waits for it while the agent runs, but for no line that has no end."""
        deadline = time.monotonic() + seconds
        while missing := self.missing(body.slots):
            if not self.keeper.is_running or any(slot.slow for slot in missing) or time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return not body.half

    def missing(self, slots):
        arrived = self.keeper.arrived
        arrived.look()
        return [slot for slot in slots if not slot.optional and not any(arrived.count(text) for text in slot.texts)]

    def is_elsewhere(self, body):
        others = {id(slot) for other in self.bodies.values() if other is not body for slot in other.slots}
        return not body.half and all(id(slot) in others for slot in body.slots)

    def leave_to_agent(self, path):
        """Only what is open can be read to its end without a name."""
        body = self.bodies[path]
        if not self.keeper.is_running or self.keeper.is_short_of_files(self) or not self.keeper.has_open(path):
            return False
        if body.half or any(slot.slow for slot in self.missing(body.slots)):
            return False  # a kill would have to wait for it
        self.unread += body.slots
        return True

    def wait_for_unread(self, seconds):
        """What never comes is found in the end."""
        deadline = time.monotonic() + seconds
        while (missing := self.missing(self.unread)) and time.monotonic() < deadline:
            time.sleep(0.01)
        if missing:
            self.say("removed and not read:", missing[0].texts[0][:40])
        self.unread = []

    def let_agent_look(self):
        if self.keeper.is_running:
            time.sleep(GRACE)
