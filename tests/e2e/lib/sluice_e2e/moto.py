"""moto's CloudWatch Logs, which checks signatures and permissions, read back with boto3."""

import json
import os
import socket
import subprocess
import time

from .services import SERVICES, MissingTool, ServiceError

REGION = "eu-west-1"
START_SECONDS = 60
SETUP_CALLS = 3  # what it takes to make a user
WRITER = ["logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DescribeLogGroups"]


class MotoError(ServiceError):
    """What moto, or boto3, answered."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def install():
    """The folder of the virtual environment."""
    done = subprocess.run([os.path.join(SERVICES, "packages"), "moto"], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        raise MissingTool(done.stderr.strip())
    if done.returncode:
        raise ServiceError(f"moto can't be installed: {done.stderr[-2000:]}")
    return done.stdout.strip()


class Moto:
    """A server of our own; `keys` are those of a user who may do all, `user()` makes others."""

    def __init__(self, state):
        self.group = "/app/booking"
        self._python = os.path.join(install(), "bin", "python")
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        os.makedirs(state, exist_ok=True)
        environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SETUP_CALLS)}
        with open(os.path.join(state, "out"), "ab") as out:
            self._server = subprocess.Popen([self._python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)],
                                            env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # fmt: skip
        self._await()
        self._client = subprocess.Popen([self._python, os.path.join(SERVICES, "moto", "client.py"), self.url, REGION],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        self._tell({"access_key_id": "nobody", "secret_access_key": "nothing"})
        self.keys = self.ask("user", name="root", actions=["*"])
        self.ask("as", keys=self.keys)

    def _await(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise ServiceError("moto does not start; see its `out`") from None
                time.sleep(0.05)

    def _tell(self, what):
        self._client.stdin.write(json.dumps(what) + "\n")
        self._client.stdin.flush()

    def ask(self, do, **more):
        self._tell({"do": do, **more})
        said = json.loads(self._client.stdout.readline() or '{"error": "the client ended"}')
        if "error" in said:
            raise MotoError(said["error"])
        return said["done"]

    def user(self, name, actions=None):
        """The keys of a new one, who may write, or do `actions`."""
        return self.ask("user", name=name, actions=actions or WRITER)

    def output(self, more):
        """The agent's output that delivers here."""
        options = {"region": REGION, "endpoint": self.url, "group": self.group, "stream": "{{ host }}", "create": {"group": True},
                   "retry": {"initial": "100ms", "max": "1s"}, "request": {"max_age": "100ms"}, **more}  # fmt: skip
        if not {"credentials", "access_key_id"} & set(options):
            options.update(self.keys)
        return {"cloudwatch": options}

    # -- what it holds -------------------------------------------------------------------------

    def streams(self, group=None):
        try:
            return self.ask("streams", group=group or self.group)
        except MotoError as err:
            if "ResourceNotFound" in str(err):
                return []
            raise

    def events(self, stream, group=None):
        """(timestamp, message), as they are read."""
        return [tuple(event) for event in self.ask("events", group=group or self.group, stream=stream)]

    def records(self, stream, group=None):
        return [json.loads(message) for _, message in self.events(stream, group)]

    def docs(self):
        return [record for stream in self.streams() for record in self.records(stream)]

    def count(self):
        return len(self.docs())

    def clean_up(self):
        for process in self._client, self._server:
            process.kill()
            process.wait()
        self._client.stdin.close()
        self._client.stdout.close()
