"""A program that logs: writes numbered JSON lines to a file, and rotates it in every way there is.

The writer is a thread or the test itself, with one lock, so that a rotation falls between two lines
unless the test wants it otherwise.  The number `n` of a record is unique over the writer's life, so
that assert_exactly() can tell what is lost and what is doubled.
"""

import contextlib
import json
import os
import shutil
import threading
import time

TEXT = "Request completed; the quick brown fox jumps over the lazy dog, and the lazy dog does not mind at all"


class LogWriter:
    def __init__(self, path, append=True, first=0, extra=None):
        """`append` is how the program opened its file: without O_APPEND, a truncation leaves a hole of
        NUL bytes before the next line. `extra`: more members for each record."""
        self.path = path
        self.first = first
        self.count = 0  # records written whole
        self.bytes = 0
        self._append = append
        self._extra = extra or {}
        self._lock = threading.RLock()
        self._file = None
        self._half = b""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.reopen()

    @property
    def numbers(self):
        return range(self.first, self.first + self.count)

    def line(self, n):
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        record = {"timestamp": stamp, "level": "info", "message": TEXT, "service": "appointment-booking", "n": n,
                  "written": round(now, 6), **self._extra}  # fmt: skip
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def write(self, records=1):
        """Appends so many records in one go, completing a half-written one first."""
        with self._lock:
            start = self.first + self.count
            lines = [self.line(n) for n in range(start, start + records)]
            if self._half and lines:
                lines[0], self._half = self._half, b""
            self._put(b"".join(lines))
            self.count += records
        return self

    def write_half(self):
        """The next record's first half; write() continues with the rest of it."""
        with self._lock:
            line = self.line(self.first + self.count)
            self._put(line[: len(line) // 2])
            self._half = line[len(line) // 2 :]

    def write_raw(self, data):
        with self._lock:
            self._put(data)

    def _put(self, data):
        self._file.write(data)
        self.bytes += len(data)

    @contextlib.contextmanager
    def background(self, rate=5000, burst=0.01):
        """Writes `rate` records a second in a thread, until the block ends; a late burst is made up for."""
        stop = threading.Event()

        def work():
            begun, written = time.monotonic(), 0
            while not stop.wait(burst):
                due = int((time.monotonic() - begun) * rate) - written
                if due > 0:
                    self.write(due)
                    written += due

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    # -- rotation ------------------------------------------------------------------------------

    def reopen(self):
        with self._lock:
            if self._file:
                self._file.close()
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._append else 0)
            self._file = os.fdopen(os.open(self.path, flags, 0o644), "wb", buffering=0)
            if not self._append:
                self._file.seek(0, os.SEEK_END)

    def rotate_by_rename(self, keep=9):
        """path -> path.1 -> path.2 ... and a new file at path, as winston's `tailable` and logrotate do."""
        with self._lock:
            for number in range(keep, 0, -1):
                older = f"{self.path}.{number}"
                if os.path.exists(older):
                    os.rename(older, f"{self.path}.{number + 1}")
            os.rename(self.path, f"{self.path}.1")
            self.reopen()

    def copytruncate(self, copy=None):
        """Copies the file and empties it, the writer keeping it open; nothing is written in between."""
        with self._lock:
            shutil.copyfile(self.path, copy or f"{self.path}.1")
            os.truncate(self.path, 0)

    def remove_and_recreate(self):
        """Deletes the file, bytes unread or not, and goes on in a new one of the same name."""
        with self._lock:
            os.unlink(self.path)
            self.reopen()

    def close(self):
        with self._lock:
            self._file.close()
