"""HTTP/1.1 over one accepted socket, low enough to be slow, to stop midway and to reset.

http.server can't do these; this reads requests and writes answers itself.  It trusts nothing about
the sender: a malformed request raises WireError, a gone sender raises Gone.
"""

import gzip
import os
import select
import socket
import struct
import time
import zlib
from dataclasses import dataclass, field

MAX_HEAD = 64 * 1024
CHUNK = 64 * 1024
SLICE = 0.02  # seconds between two portions of a rate-limited transfer

REASONS = {
    200: "OK", 201: "Created", 302: "Found", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 413: "Request Entity Too Large", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class WireError(ValueError):
    """The request is no HTTP; the connection can only be closed."""


class Gone(Exception):
    """The other side closed or reset the connection."""


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes = b""  # decoded
    wire_bytes: int = 0  # of the body, as it came
    read_whole: bool = True
    answered: dict = field(default_factory=dict)

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    @property
    def keep_alive(self):
        return self.headers.get("connection", "").lower() != "close"


class Connection:
    """Owns the socket of one accepted connection."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self._buffer = b""

    def _receive(self):
        try:
            data = self.sock.recv(CHUNK)
        except OSError as err:
            raise Gone(str(err)) from err
        if not data:
            raise Gone("closed by the client")
        return data

    def _line(self):
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD:
                raise WireError("head too long")
            self._buffer += self._receive()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def _exactly(self, size, rate=None):
        """`size` bytes of the body, at most `rate` bytes a second."""
        parts, left, started = [], size, time.monotonic()
        while left:
            if not self._buffer:
                self._buffer = self._receive()
            portion = left if rate is None else min(left, max(1, int(rate * SLICE)))
            piece, self._buffer = self._buffer[:portion], self._buffer[portion:]
            parts.append(piece)
            left -= len(piece)
            if rate is not None:
                time.sleep(max(0, (size - left) / rate - (time.monotonic() - started)))
        return b"".join(parts)

    def read_head(self):
        """The next request without its body, or None when the client is done with the connection."""
        try:
            first = self._line()
        except Gone:
            if self._buffer:
                raise
            return None
        parts = first.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise WireError(f"no request line: {first!r}")
        headers = {}
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon:
                raise WireError(f"no header: {line!r}")
            headers[name.strip().lower()] = value.strip()
        return Request(parts[0], parts[1], headers)

    def read_body(self, request, limit=None, rate=None):
        """Fills request.body.  With `limit`, stops after so many bytes and leaves the rest unread."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            wire = self._chunked(request, limit, rate)
        else:
            length = int(request.headers.get("content-length", 0))
            request.read_whole = limit is None or length <= limit
            wire = self._exactly(length if request.read_whole else limit, rate)
        request.wire_bytes = len(wire)
        request.body = self._decode(request, wire) if request.read_whole else wire

    def _chunked(self, request, limit, rate):
        parts, total = [], 0
        while size := int(self._line().split(";")[0], 16):
            if limit is not None and total + size > limit:
                parts.append(self._exactly(limit - total, rate))
                request.read_whole = False
                return b"".join(parts)
            parts.append(self._exactly(size, rate))
            total += size
            self._line()
        while self._line():
            continue  # trailers
        return b"".join(parts)

    @staticmethod
    def _decode(request, wire):
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding == "identity":
            return wire
        if encoding != "gzip":
            raise WireError(f"content-encoding {encoding} is not spoken here")
        try:
            return gzip.decompress(wire)
        except (OSError, EOFError, zlib.error) as err:
            raise WireError(f"broken gzip body: {err}") from err

    def send(self, data, rate=None):
        portion = len(data) if rate is None else max(1, int(rate * SLICE))
        started, sent = time.monotonic(), 0
        try:
            while sent < len(data):
                self.sock.sendall(data[sent : sent + portion])
                sent += portion
                if rate is not None:
                    time.sleep(max(0, sent / rate - (time.monotonic() - started)))
        except OSError as err:
            raise Gone(str(err)) from err

    def send_endless(self, head):
        """A chunked answer that never ends, until the client has had enough (Gone)."""
        self.send(head)
        while True:
            chunk = os.urandom(8192)
            self.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def send_endless_head(self):
        """Header after header, until the client has had enough (Gone)."""
        self.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.send(b"".join(b"X-%s: %s\r\n" % (os.urandom(8).hex().encode(), b"x" * 1000) for _ in range(8)))

    def end(self, how):
        """Ends the connection in one of the script's ways."""
        if how == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "half_close":
            self.sock.shutdown(socket.SHUT_WR)
            self._wait_until_gone()
        elif how == "hang":
            self._wait_until_gone()
        self.close()

    def linger(self, seconds=2):
        """Ends the answering side and swallows what the client is still sending, so that the close
        does not become a reset that overtakes the answer."""
        self.sock.shutdown(socket.SHUT_WR)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.sock.settimeout(left)
            if not self.sock.recv(CHUNK):
                return

    def _wait_until_gone(self):
        """Waits for the client's close or reset without reading what it sends."""
        poller = select.poll()
        poller.register(self.sock.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        poller.poll()

    def close(self):
        try:
            self.sock.close()
        except OSError:
            return  # already reset by the other side


def answer_head(status, headers):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def form_answer(form, status, headers, body):
    """The whole answer as bytes, in one of the script's forms."""
    if form == "noise":
        return os.urandom(len(body) + 200)
    if form == "http10":
        return answer_head(status, {**headers, "Connection": "close"}).replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body
    if form == "chunked":
        middle = len(body) // 2
        chunks = b"".join(b"%x;part=%d\r\n%s\r\n" % (len(part), n, part) for n, part in enumerate((body[:middle], body[middle:])) if part)
        head = answer_head(status, {**headers, "Transfer-Encoding": "chunked", "Trailer": "X-Checksum"})
        return head + chunks + b"0\r\nX-Checksum: 1\r\n\r\n"
    if form == "gzip":
        body = gzip.compress(body)
        headers = {**headers, "Content-Encoding": "gzip"}
    return answer_head(status, {**headers, "Content-Length": len(body)}) + body
