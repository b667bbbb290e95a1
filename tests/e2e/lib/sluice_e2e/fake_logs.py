"""A CloudWatch Logs that does what the test tells it to: throttles, loses answers, rejects, forgets streams.

It holds requests to the service's rules and notes what breaks one, in `faults`.
"""

import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .services import SERVICES

sys.path.insert(0, os.path.abspath(SERVICES))
from parts import aws, sigv4  # noqa: E402

MAX_BYTES, EVENT_BYTES, MAX_EVENTS, MAX_SPAN_MS = 1048576, 26, 10000, 24 * 3600 * 1000


def error(name, message="", status=400):
    return status, {"__type": f"com.amazonaws.logs#{name}", "message": message}


class Credentials(aws.Server):
    """What a container is given; each ends after `life` seconds."""

    def __init__(self, life):
        super().__init__()
        self.cloud.life = life

    def find(self, key, token):
        return self.cloud.find(key, token)

    @property
    def environment(self):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/container"}

    def clean_up(self):
        self.stop()


class FakeLogs:
    """`script(number, action, request)`, asked first, gives None (do as the service does), an answer as error() makes
    it, "lost" (done, and not answered) or "reset" (neither). `cloud`: a Credentials; only those it handed out, and that
    have not ended, are let in."""

    def __init__(self, script=None, streams=None, clock=0, cloud=None):
        self.script = script or (lambda number, action, request: None)
        self.groups = defaultdict(set)
        for group, stream in streams or []:
            self.groups[group].add(stream)
        self.events = defaultdict(list)  # (group, stream): [(timestamp, message), …]
        self.calls = Counter()
        self.keys = Counter()  # access keys seen
        self.formats = Counter()
        self.faults = []
        self.times = []
        self.clock = clock  # seconds that its clock is ahead
        self.cloud = cloud
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.serve(self, body)

            def log_message(self, *_):
                pass

            def date_time_string(self, timestamp=None):
                return formatdate(time.time() + fake.clock, usegmt=True)

        return Handler

    def serve(self, http, body):
        action = http.headers["X-Amz-Target"].removeprefix("Logs_20140328.")
        request = json.loads(body)
        with self._lock:
            self.calls[action] += 1
            self.note(http.headers, action)
            said = self.refuse(http, body) or self.script(self.calls[action], action, request) or self.do(action, request)
            if said == "lost":
                self.do(action, request)
        if said in ("lost", "reset"):
            http.close_connection = True
            return
        self.answer(http, *said)

    @staticmethod
    def answer(http, status, answer):
        text = json.dumps(answer).encode()
        http.send_response(status)
        http.send_header("Content-Type", "application/x-amz-json-1.1")
        http.send_header("Content-Length", str(len(text)))
        http.end_headers()
        http.wfile.write(text)

    def refuse(self, http, body):
        if not self.cloud:
            return None
        headers = {name.lower(): value for name, value in http.headers.items()}
        try:
            sigv4.check(http.command, http.path, headers, body, "logs", self.cloud.find)
        except sigv4.Refused as err:
            self.calls[err.name] += 1
            return error(err.name, str(err))
        return None

    def note(self, headers, action):
        authorization = headers["Authorization"] or ""
        if "Credential=" not in authorization or "X-Amz-Date" not in headers:
            self.faults.append(f"{action} is not signed")
        self.keys[authorization.partition("Credential=")[2].partition("/")[0]] += 1
        self.formats[headers["x-amzn-logs-format"]] += 1
        if headers["Content-Type"] != "application/x-amz-json-1.1":
            self.faults.append(f"{action} has the type {headers['Content-Type']}")
        if action == "PutLogEvents":
            self.times.append(time.monotonic())

    def do(self, action, request):
        match action:
            case "PutLogEvents":
                return self.put(request)
            case "CreateLogGroup":
                return self.create_group(request["logGroupName"])
            case "CreateLogStream":
                return self.create_stream(request["logGroupName"], request["logStreamName"])
        return 200, {}

    def create_group(self, group):
        if group in self.groups:
            return error("ResourceAlreadyExistsException")
        self.groups[group] = set()
        return 200, {}

    def create_stream(self, group, stream):
        if group not in self.groups:
            return error("ResourceNotFoundException", "The specified log group does not exist.")
        if stream in self.groups[group]:
            return error("ResourceAlreadyExistsException")
        self.groups[group].add(stream)
        return 200, {}

    def put(self, request):
        group, stream, events = request["logGroupName"], request["logStreamName"], request["logEvents"]
        self.check(events)
        if group not in self.groups:
            return error("ResourceNotFoundException", "The specified log group does not exist.")
        if stream not in self.groups[group]:
            return error("ResourceNotFoundException", "The specified log stream does not exist.")
        self.events[group, stream] += [(event["timestamp"], event["message"]) for event in events]
        return 200, {}

    def check(self, events):
        times = [event["timestamp"] for event in events]
        size = sum(len(event["message"].encode()) + EVENT_BYTES for event in events)
        rules = {
            "no events": len(events) == 0,
            "too many events": len(events) > MAX_EVENTS,
            "too many bytes": size > MAX_BYTES,
            "out of order": times != sorted(times),
            "more than a day": bool(times) and times[-1] - times[0] > MAX_SPAN_MS,
            "an empty event": any(not event["message"] for event in events),
        }
        self.faults += [rule for rule, broken in rules.items() if broken]

    def output(self, more):
        """The agent's output that delivers here."""
        options = {"region": "eu-west-1", "endpoint": self.url, "group": "/app/booking", "stream": "{{ host }}",
                   "retry": {"initial": "20ms", "max": "200ms"}, "request": {"max_age": "20ms"}, **more}  # fmt: skip
        if not {"credentials", "access_key_id"} & set(options):
            options.update(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI")
        return {"cloudwatch": options}

    def records(self):
        with self._lock:
            return [json.loads(message) for events in self.events.values() for _, message in events]

    docs = records

    def count(self):
        with self._lock:
            return sum(map(len, self.events.values()))

    def clean_up(self):
        self._server.shutdown()
        self._server.server_close()
