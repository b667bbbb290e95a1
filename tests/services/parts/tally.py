"""What came, by number alone: in place of bulk.Store where a test sends more than can be kept.

A record is {..."n":NUMBER...} and counts once by the number; of its id a checksum is kept, so that a
record that comes again under its own id is a conflict (409), as in an index, and one that comes again
under another id is `doubled`. The counts end with the receiver.
"""

import mmap
import re
import threading
import zlib

from .bulk import BulkError, Op

MAX_NUMBERS = 1 << 28  # 1 GiB of memory when all have come
CELL = 4  # bytes a number: 0, or the checksum of the id that it came with
CREATE = re.compile(rb'\{"create": ?\{(?:"_index": ?"([^"]*)", ?)?"_id": ?"([^"]+)"\}\}\n([^\n]*)\n')
NUMBER = re.compile(rb'"n": ?(\d+)[,}]')
CONFLICT = ("version_conflict_engine_exception", "document already exists")


class Tally:
    COUNTERS = ("created", "conflicts", "refused", "doubled", "unnumbered")

    def __init__(self):
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        self.counters = dict.fromkeys(self.COUNTERS, 0)
        self._highest = -1
        self._cells = memoryview(mmap.mmap(-1, MAX_NUMBERS * CELL)).cast("I")  # pages come as they are written

    def parse(self, body, default_index=None):
        ops, end = [], 0
        for found in CREATE.finditer(body):
            if found.start() != end:
                break
            end = found.end()
            ops.append(Op("create", found[1] or default_index, found[2], found[3], {}))
        if end != len(body) or not ops:
            raise BulkError(f"no create action with a document at byte {end}")
        return ops

    def apply(self, ops, rules=()):
        with self._lock:
            return [self._apply_one(position, op, rules) for position, op in enumerate(ops)]

    def _apply_one(self, position, op, rules):
        for rule in rules:
            if rule.refuses(position, op):
                self.counters["refused"] += 1
                return {"create": {"status": rule.status, "error": {"type": rule.type, "reason": rule.reason}}}
        found = NUMBER.search(op.raw)
        if not found or int(found[1]) >= MAX_NUMBERS:
            self.counters["unnumbered"] += 1
            return {"create": {"status": 400, "error": {"type": "document_parsing_exception", "reason": "no number"}}}
        return self._count(op, int(found[1]))

    def _count(self, op, number):
        checksum = zlib.crc32(op.id) | 1
        self._highest = max(self._highest, number)
        if self._cells[number] == checksum:
            self.counters["conflicts"] += 1
            return {"create": {"status": 409, "error": {"type": CONFLICT[0], "reason": CONFLICT[1]}}}
        self.counters["doubled" if self._cells[number] else "created"] += 1
        self._cells[number] = checksum
        return {"create": {"status": 201}}

    def stats(self):
        return {"docs": self.counters["created"], "highest": self._highest, **self.counters}

    def count(self, index=None):
        return self.counters["created"]

    def dump(self):
        return ()
