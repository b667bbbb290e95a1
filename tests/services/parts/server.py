"""The scripted receiver: listens, gives each connection a thread, answers as Elasticsearch or as the script says."""

import json
import os
import re
import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass

from . import bulk, tally, wire
from .script import Script, ScriptError

MAX_REQUESTS_KEPT = 20_000
RECEIVE_BUFFER = 128 * 1024  # small, so that slow reading is felt by the sender and not by the kernel
LOOPBACK = "127.0.0.1"
JSON_TYPE = "application/json; charset=UTF-8"


@dataclass
class Settings:
    flavour: str = "elasticsearch"
    version: str = "8.15.0"
    auth: str = ""  # the Authorization header wanted, word for word; "" for none
    max_body: int = None
    docs_file: str = None
    tally: bool = False  # count records by number instead of keeping them
    tls: ssl.SSLContext = None


class Receiver:
    """Two listeners: `port` is Elasticsearch (and, without TLS, control too), `control_port` is
    control alone, in plain HTTP."""

    def __init__(self, settings, script=None):
        self.settings = settings
        self.script = Script(script, settings.max_body)
        self.store = tally.Tally() if settings.tally else bulk.Store(settings.docs_file)
        self.objects = {}  # what PUT left at paths such as /_index_template/x
        self._lock = threading.Lock()
        self._requests = deque(maxlen=MAX_REQUESTS_KEPT)
        self._counters = {"requests": 0, "bulk_requests": 0, "connections": 0, "body_bytes": 0, "wire_bytes": 0,
                          "wire_errors": 0, "tls_errors": 0, "unauthorized": 0}  # fmt: skip
        self._in_flight = 0
        self._max_in_flight = 0
        self._open = 0

    def listen(self, port, control_port=0, host=LOOPBACK):
        self._service = open_listener(host, port)
        self._control = open_listener(LOOPBACK, control_port)
        self.port = self._service.getsockname()[1]
        self.control_port = self._control.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._service, self._serve), daemon=True).start()
        threading.Thread(target=self._accept, args=(self._control, self._serve_control), daemon=True).start()

    def _accept(self, listener, serve):
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    def count(self, name, by=1):
        with self._lock:
            self._counters[name] += by
            return self._counters[name]

    # -- connections ---------------------------------------------------------------------------

    def _serve(self, sock):
        number = self.count("connections")
        conn = wire.Connection(sock, number)
        with self._lock:
            self._open += 1
        try:
            step = self.script.take("CONNECT")
            if step:
                time.sleep(step.delay)
                if step.how:
                    conn.end(step.how)
                    return
            if self.settings.tls:
                conn.sock = self.settings.tls.wrap_socket(sock, server_side=True)
            while self._serve_one(conn):
                pass
        except ssl.SSLError:
            self.count("tls_errors")
        except wire.Gone:
            pass  # the client may leave when it likes; what it sent is in /__requests
        except (ValueError, OSError):
            self.count("wire_errors")
        finally:
            conn.close()
            with self._lock:
                self._open -= 1

    def _serve_control(self, sock):
        conn = wire.Connection(sock, 0)
        try:
            while request := conn.read_head():
                conn.read_body(request)
                self._send(conn, request, *self._control_answer(request))
        except (wire.Gone, ValueError, OSError):
            pass  # control is the test's own client: it sees the closed connection
        finally:
            conn.close()

    def _serve_one(self, conn):
        """One request and its answer; False ends the connection."""
        request = conn.read_head()
        if request is None:
            return False
        if request.path.startswith("/__"):
            conn.read_body(request)
            self._send(conn, request, *self._control_answer(request))
            return request.keep_alive
        step = self.script.take(f"{request.method} {request.target}")
        entry = self._begin(conn, request, step)
        try:
            goes_on = self._answer(conn, request, step, entry)
            if not request.read_whole and not (step and step.how):
                conn.linger()
            return goes_on
        finally:
            self._end(entry, request)

    def _begin(self, conn, request, step):
        with self._lock:
            self._counters["requests"] += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            entry = {"n": self._counters["requests"], "connection": conn.number, "at": time.time(), "method": request.method,
                     "target": request.target, "headers": request.headers, "in_flight": self._in_flight,
                     "step": step.name or "unnamed" if step else None, "status": None}  # fmt: skip
            self._requests.append(entry)
        return entry

    def _end(self, entry, request):
        entry["seconds"] = time.time() - entry["at"]
        with self._lock:
            self._in_flight -= 1
            self._counters["body_bytes"] += len(request.body)
            self._counters["wire_bytes"] += request.wire_bytes
            self._counters["bulk_requests"] += is_bulk(request)

    def _answer(self, conn, request, step, entry):
        limit = step.read if step else None
        max_body = self.script.max_body
        if limit is None and max_body is not None and int(request.headers.get("content-length", 0)) > max_body:
            limit = 0  # refused by its declared length, unread, as a proxy would
        conn.read_body(request, limit, step.read_rate if step else None)
        entry.update({"body_bytes": len(request.body), "wire_bytes": request.wire_bytes})  # before it is answered
        status, headers, body = self._judge(request, step, max_body)
        if not step:
            entry["status"] = status
            self._send(conn, request, status, headers, body)
            return request.keep_alive and request.read_whole
        return self._spoil(conn, request, step, entry, status, headers, body)

    def _spoil(self, conn, request, step, entry, status, headers, body):
        """Sends the answer the way the step says."""
        time.sleep(step.delay)
        if step.status is not None:
            status = step.status
        if step.body is not None or step.body_kind or step.status is not None:
            body = scripted_body(step, status)
        headers = {**headers, **step.headers}
        if step.body_kind == "endless":
            entry["status"] = status
            conn.send_endless(wire.answer_head(status, {**headers, "Transfer-Encoding": "chunked"}))
        if step.form == "endless_head":
            conn.send_endless_head()
        data = wire.form_answer(step.form, status, headers, body)
        if step.how:
            if step.cut:
                entry["status"] = status
                conn.send(data[: step.cut], step.write_rate)
            conn.end(step.how)
            return False
        entry["status"] = status
        conn.send(data, step.write_rate)
        return request.keep_alive and request.read_whole and step.form not in ("http10", "noise")

    def _send(self, conn, request, status, headers, body):
        head = {**headers, "Content-Length": len(body)}
        data = wire.answer_head(status, head)
        conn.send(data if request.method == "HEAD" else data + body)

    # -- answers -------------------------------------------------------------------------------

    def _judge(self, request, step, max_body):
        """The honest answer to a request, after what the step lets into the store."""
        headers = {"Content-Type": JSON_TYPE}
        if self.settings.flavour == "elasticsearch":
            headers["X-elastic-product"] = "Elasticsearch"
        wanted = self.settings.auth
        if wanted and request.headers.get("authorization") != wanted:
            self.count("unauthorized")
            return 401, {**headers, "WWW-Authenticate": "Basic"}, error_body(401, "security_exception", "missing authentication")
        if not request.read_whole or (max_body is not None and len(request.body) > max_body):
            return 413, {"Content-Type": "text/plain", "Connection": "close"}, b"request entity too large\n"
        if request.body and not re.match(r"application/(x-ndjson|json|vnd\.elasticsearch\+)", request.headers.get("content-type", "")):
            return 406, headers, error_body(406, "media_type_header_exception", "Content-Type is not supported")
        if is_bulk(request):
            status, body = self._bulk(request, step)
        else:
            status, body = self._other(request)
        return status, headers, body

    def _bulk(self, request, step):
        found = re.match(r"^/([^/]+)/_bulk$", request.path)
        try:
            ops = self.store.parse(request.body, found.group(1) if found else None)
        except bulk.BulkError as err:
            return 400, error_body(400, "illegal_argument_exception", str(err))
        if step and not step.takes_documents(request.read_whole):
            return 200, b"{}"
        items = self.store.apply(ops, step.items if step else ())
        return 200, bulk.write_answer(items, step.style if step else "compact")

    def _other(self, request):
        path, method = request.path, request.method
        if path == "/":
            return 200, json.dumps(self._welcome(), indent=2).encode()
        if path.startswith("/_cluster/health"):
            return 200, b'{"cluster_name":"receiver","status":"green","timed_out":false}'
        if path.endswith("/_count"):
            index = path.split("/")[1] if path.count("/") > 1 else None
            return 200, json.dumps({"count": self.store.count(index)}).encode()
        if re.match(r"^/(_index_template|_component_template|_ilm/policy|_ingest/pipeline|_data_stream|[a-z0-9])", path):
            return self._object(method, path, request.body)
        return 400, error_body(400, "illegal_argument_exception", f"no handler found for uri [{path}] and method [{method}]")

    def _object(self, method, path, body):
        if method in ("PUT", "POST"):
            self.objects[path] = body.decode("utf-8", "replace")
            return 200, b'{"acknowledged":true}'
        if path in self.objects:
            return 200, self.objects[path].encode()
        return 404, error_body(404, "resource_not_found_exception", f"[{path}] missing")

    def _welcome(self):
        version = {"number": self.settings.version, "build_flavor": "default", "lucene_version": "9.11.1"}
        if self.settings.flavour == "opensearch":
            version = {"distribution": "opensearch", "number": self.settings.version, "lucene_version": "9.11.1"}
        return {"name": "receiver", "cluster_name": "receiver", "cluster_uuid": "A0", "version": version, "tagline": "for tests"}

    # -- control -------------------------------------------------------------------------------

    def stats(self):
        with self._lock:
            now = {**self._counters, "in_flight": self._in_flight, "max_in_flight": self._max_in_flight, "open_connections": self._open}
        return {**now, **self.store.stats(), "steps_left": self.script.left()}

    def _control_answer(self, request):
        """/__stats /__docs /__requests /__objects /__script (GET, POST) /__reset (POST)"""
        plain = {"Content-Type": JSON_TYPE}
        try:
            if request.path == "/__script" and request.method in ("POST", "PUT"):
                self.script.load(json.loads(request.body or b"{}"))
                return 200, plain, b"{}"
            if request.path == "/__reset" and request.method in ("POST", "PUT"):
                self.store.clear()
                return 200, plain, b"{}"
        except (ScriptError, ValueError, TypeError) as err:
            return 400, plain, error_body(400, "script", str(err))
        if request.path == "/__docs":
            return 200, {"Content-Type": "application/x-ndjson"}, b"".join(self.store.dump())
        views = {"/__stats": self.stats, "/__script": self.script.left, "/__objects": lambda: self.objects,
                 "/__requests": lambda: list(self._requests)}  # fmt: skip
        if request.path not in views:
            return 404, plain, error_body(404, "control", f"no control endpoint {request.path}")
        return 200, plain, json.dumps(views[request.path]()).encode()


def open_listener(host, port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    listener.bind((host, port))
    listener.listen(256)
    return listener


def is_bulk(request):
    return request.method in ("POST", "PUT") and request.path.endswith("/_bulk")


def error_body(status, kind, reason):
    error = {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}
    return json.dumps({"error": error, "status": status}).encode()


def scripted_body(step, status):
    if step.body_kind == "empty":
        return b""
    if step.body_kind == "garbage":
        return os.urandom(512)
    if step.body_kind == "html":
        return b"<html><head><title>%d</title></head><body>proxy says no</body></html>" % status
    if isinstance(step.body, str):
        return step.body.encode()
    if step.body is not None:
        return json.dumps(step.body).encode()
    return error_body(status, "scripted_exception", "answered by the script")
