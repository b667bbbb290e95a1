"""An agent whose credentials end every few seconds, from each place that hands some out: nothing is lost, nothing is
refused, and no secret is in the log or on the disk."""

import pathlib
import sys
import time

from sluice_e2e import find_secrets, run
from sluice_e2e.fake_logs import FakeLogs, error

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "services"))
from parts import sigv4  # noqa: E402
from parts.aws import Server  # noqa: E402

LIFE = 3  # seconds
ARN = "arn:aws:iam::123456789012:role/logs"
WRITE_SECONDS = 8


class CheckedLogs(FakeLogs):
    """CloudWatch Logs that takes what is signed with credentials of `server` that have not ended."""

    def __init__(self, server):
        super().__init__(streams=[("/app/booking", "s")])
        self.server = server
        self.refused = []

    def serve(self, http, body):
        headers = {name.lower(): value for name, value in http.headers.items()}
        try:
            sigv4.check("POST", http.path, headers, body, "logs", self.server.cloud.find)
        except sigv4.Refused as err:
            self.refused.append(f"{err.name}: {err}")
            status, answer = error(err.name, str(err))
            self.answer(http, status, answer)
            return
        super().serve(http, body)

    def clean_up(self):
        super().clean_up()
        self.server.stop()


def start(sc, environment=None, life=LIFE, **options):
    server = Server()
    server.cloud.life = life
    logs, log = sc._own(CheckedLogs(server)), sc.log("app.log")
    names = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url, "HOME": sc.path("home"), **(environment(server) if environment else {})}
    agent = sc.agent(sc.main_job(logs, log.path, output={"credentials": "auto", "sts_endpoint": server.url, "stream": "s", **options}), start=False)
    agent.start(environment=names)
    return server.cloud, logs, log, agent


def write(sc, log, seconds=WRITE_SECONDS):
    with log.background(rate=500):
        time.sleep(seconds)


def assert_kept(sc, cloud, logs, log, agent):
    sc.delivered_exactly(agent, logs, log)
    assert not logs.faults, logs.faults[:3]
    secrets = [text for key in cloud.issued.values() for text in key[:2] if text]
    agent.stop()
    leaks = find_secrets(secrets, [agent.log_path, agent.data_dir])
    assert not leaks, leaks


def rotated(sc, source, environment=None, **options):
    cloud, logs, log, agent = start(sc, environment, **options)
    write(sc, log)
    assert_kept(sc, cloud, logs, log, agent)
    assert not logs.refused, logs.refused[:3]
    assert 4 <= len(logs.keys) <= 9, logs.keys
    assert all(key.startswith(source) for key in logs.keys), logs.keys


def of_an_instance(sc):
    rotated(sc, "IMDS")


def of_a_container(sc):
    def environment(server):
        server.cloud.container_token = "token-of-the-container"
        path = sc.path("token")
        pathlib.Path(path).write_text(server.cloud.container_token, encoding="ascii")
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path}

    rotated(sc, "CONTAINER", environment)


def of_a_web_identity(sc):
    def environment(server):
        server.cloud.web_token = "eyJ.of.the.pod"
        path = sc.path("jwt")
        pathlib.Path(path).write_text(server.cloud.web_token, encoding="ascii")
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": path, "AWS_ROLE_ARN": ARN}

    rotated(sc, "WEB", environment)


def of_a_role_on_top(sc):
    def environment(server):
        server.cloud.external_id = "ours"
        return {}

    rotated(sc, "ROLE", environment, assume_role={"role_arn": ARN, "external_id": "ours"})


def revoked_in_the_middle(sc):
    cloud, logs, log, agent = start(sc, life=3600)
    with log.background(rate=500):
        sc.wait(lambda: logs.count() > 0, "records arrive")
        cloud.revoke("IMDS-1")
        sc.wait(lambda: "IMDS-2" in logs.keys, "they arrive with others", 20)
    assert_kept(sc, cloud, logs, log, agent)
    assert set(logs.keys) == {"IMDS-1", "IMDS-2"}, logs.keys
    assert all(text.startswith("UnrecognizedClientException") for text in logs.refused), logs.refused[:3]


def nobody_hands_any_out_for_a_while(sc):
    cloud, logs, log, agent = start(sc, credentials="imds")
    with log.background(rate=500):
        sc.wait(lambda: logs.count() > 0, "records arrive")
        cloud.down = True
        sc.wait(lambda: "trying again: no AWS credentials: instance metadata: " in agent.log_text(), "the log says why", 20)
        time.sleep(LIFE)
        before = logs.count()
        time.sleep(1)
        assert logs.count() == before, "records were sent without credentials"
        cloud.down = False
        sc.wait(lambda: logs.count() > before, "records arrive again", 70)
    assert_kept(sc, cloud, logs, log, agent)
    assert not logs.refused, logs.refused[:3]


run(of_an_instance, of_a_container, of_a_web_identity, of_a_role_on_top, revoked_in_the_middle, nobody_hands_any_out_for_a_while)
