"""Credentials from each source and what is signed with them, against stand-ins that hand out, check and end them.

Run with the path of aws_probe; it is a test of `agent/aws/` from outside, over real connections.
"""

import datetime
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "services"))
from parts import sigv4  # noqa: E402
from parts.aws import Server  # noqa: E402

PROBE = sys.argv.pop(1)
SECONDS = 15
ARN = "arn:aws:iam::123456789012:role/logs"


class Probe:
    """An aws_probe; its lines come in order, each once."""

    def __init__(self, environment, **options):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen([PROBE, *(f"{name}={value}" for name, value in options.items())], env={**clean, **environment},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.lines = []
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.arrived:
                self.lines.append(line.rstrip("\n"))
                self.arrived.notify()

    def line(self, begins, seconds=SECONDS):
        """The next line that begins so; those before it are dropped."""
        with self.arrived:
            deadline = time.monotonic() + seconds
            while True:
                while self.lines:
                    line = self.lines.pop(0)
                    if line.startswith(begins):
                        return line
                if not self.arrived.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no line {begins!r} within {seconds} s")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def send(self, path="/logs"):
        self.tell(f"send {path}")
        return self.line("answer ")

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=SECONDS)
        self.reader.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, said


class AwsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-aws-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.server = Server()
        self.addCleanup(self.server.stop)
        self.cloud = self.server.cloud
        self.environment = {"HOME": str(self.home), "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.server.url}

    def start(self, environment=None, **options):
        options = {"endpoint": self.server.url, "sts_endpoint": self.server.url, **options}
        probe = Probe({**self.environment, **(environment or {})}, **options)
        self.addCleanup(self.check_end, probe)
        return probe

    def check_end(self, probe):
        code, said = probe.end()
        self.assertEqual(code, 0, said)
        self.assertNotIn("Sanitizer", said)
        self.said = said

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text)
        fresh.rename(path)
        return str(path)

    def ready(self, probe, key, source, region="eu-west-1"):
        self.assertEqual(probe.line("ready "), f"ready {key} {source} {region}")
        self.assertEqual(probe.send("/logs/x%20y/../?b=1&a=%2F"), f'answer 200 {{"key": "{key}"}}')


class Sources(AwsTest):
    def test_options(self):
        self.cloud.add("AKID", "se/cr+et")
        probe = self.start(region="eu-west-1", access_key_id="AKID", secret_access_key="se/cr+et")
        self.ready(probe, "AKID", "options")

    def test_environment(self):
        key, secret, token, _ = self.cloud.issue("ENV")
        given = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token, "AWS_REGION": "us-east-2"}
        self.ready(self.start(given), key, "environment", "us-east-2")

    def test_profile(self):
        self.cloud.add("FILE", "s")
        self.write(".aws/credentials", "[mine]\naws_access_key_id = FILE\naws_secret_access_key = s\n")
        self.write(".aws/config", "[profile mine]\nregion = ap-south-1\n")
        self.ready(self.start(profile="mine"), "FILE", "profile", "ap-south-1")

    def test_a_profile_with_roles_of_other_profiles(self):
        self.cloud.add("FILE", "s")
        self.write(".aws/credentials", "[base]\naws_access_key_id = FILE\naws_secret_access_key = s\n")
        self.write(".aws/config", f"[default]\nregion = eu-west-1\nrole_arn = {ARN}\nsource_profile = middle\n[profile middle]\nrole_arn = {ARN}\nsource_profile = base\n")
        self.ready(self.start(), "ROLE-2", "profile")

    def test_iam_identity_center(self):
        self.cloud.sso_token = "bearer"
        self.write(".aws/config", "[default]\nregion = eu-west-1\nsso_session = my\nsso_account_id = 123456789012\nsso_role_name = Reader\n[sso-session my]\nsso_region = eu-west-1\n")
        name = f".aws/sso/cache/{hashlib.sha1(b'my').hexdigest()}.json"
        self.write(name, '{"accessToken": "bearer", "expiresAt": "2100-01-01T00:00:00Z"}')
        self.ready(self.start({"AWS_ENDPOINT_URL_SSO": self.server.url}), "SSO-1", "profile")

    def test_web_identity(self):
        self.cloud.web_token = "eyJ.one"
        given = {"AWS_WEB_IDENTITY_TOKEN_FILE": self.write("jwt", "eyJ.one"), "AWS_ROLE_ARN": ARN}
        self.ready(self.start(given, region="eu-west-1"), "WEB-1", "web identity")

    def test_container(self):
        self.cloud.container_token = "Basic abc"
        given = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.server.url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc"}
        self.ready(self.start(given, region="eu-west-1"), "CONTAINER-1", "container")

    def test_instance_metadata_with_the_region(self):
        self.ready(self.start(), "IMDS-1", "instance metadata", "eu-central-1")
        self.assertNotIn("NoMetadataToken", self.cloud.count)

    def test_a_role_on_top(self):
        self.cloud.external_id = "ours"
        self.ready(self.start(role_arn=ARN, external_id="ours"), "ROLE-1", "instance metadata", "eu-central-1")

    def test_a_role_that_is_not_given(self):
        self.cloud.external_id = "theirs"
        line = self.start(role_arn=ARN, external_id="ours").line("error ")
        self.assertIn(f"no AWS credentials: assume_role: {self.server.url} answered 403: not authorized to perform sts:AssumeRole", line)

    def test_the_nearest_one_is_taken(self):
        self.cloud.web_token = "eyJ"
        given = {"AWS_WEB_IDENTITY_TOKEN_FILE": self.write("jwt", "eyJ"), "AWS_ROLE_ARN": ARN,
                 "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.server.url + "/container"}  # fmt: skip
        self.ready(self.start(given, region="eu-west-1"), "WEB-1", "web identity")
        self.assertEqual(self.cloud.count, {"WEB": 1})


class Time(AwsTest):
    def test_credentials_of_a_few_seconds_never_fail(self):
        self.cloud.life = 3
        probe = self.start()
        probe.line("ready ")
        keys = set()
        end = time.monotonic() + 6
        while time.monotonic() < end:
            answer = probe.send()
            self.assertTrue(answer.startswith("answer 200"), answer)
            keys.add(answer)
            time.sleep(0.02)
        self.assertGreaterEqual(len(keys), 3)
        self.assertLessEqual(len(keys), 7)

    def test_a_token_file_that_is_replaced_is_read_again(self):
        self.cloud.life = 3
        self.cloud.web_token = "eyJ.one"
        given = {"AWS_WEB_IDENTITY_TOKEN_FILE": self.write("jwt", "eyJ.one"), "AWS_ROLE_ARN": ARN}
        probe = self.start(given, region="eu-west-1")
        self.ready(probe, "WEB-1", "web identity")
        self.write("jwt", "eyJ.two\n")
        self.cloud.web_token = "eyJ.two"
        self.ready(probe, "WEB-2", "web identity")

    def test_the_old_ones_are_used_while_nobody_answers(self):
        self.cloud.life = 6
        probe = self.start()
        probe.line("ready ")
        self.cloud.down = True
        probe.line("ready IMDS-1")  # a refresh failed
        self.cloud.down = False
        self.assertIn("IMDS-1", probe.send())
        probe.line("ready IMDS-2")

    def test_what_was_revoked_is_replaced(self):
        probe = self.start()
        probe.line("ready ")
        self.cloud.revoke("IMDS-1")
        self.assertIn("UnrecognizedClientException", probe.send())
        probe.tell("expired")
        self.assertEqual(probe.send(), "answer - not ready")
        self.ready(probe, "IMDS-2", "instance metadata", "eu-central-1")

    def test_nobody_is_there_and_then_is(self):
        self.cloud.down = True
        probe = self.start()
        self.assertIn("no AWS region: region: set option `region`, or AWS_REGION; instance metadata: ", probe.line("error "))
        self.cloud.down = False
        self.ready(probe, "IMDS-1", "instance metadata", "eu-central-1")


class Checker(unittest.TestCase):
    """The stand-in's own check of signatures: AWS's test suite passes, and one changed byte does not."""

    WHEN = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc)

    def check(self, name, body=None, secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", now=WHEN):
        folder = ROOT / "tests" / "golden" / "sigv4" / name
        head, _, text = (folder / "req").read_text().partition("\n\n")
        first, *lines = head.split("\n")
        method, target = first.removesuffix(" HTTP/1.1").split(" ", 1)
        headers = {key.lower(): value for key, value in (line.split(":", 1) for line in lines)}
        headers["authorization"] = (folder / "authz").read_text()
        return sigv4.check(method, target, headers, (text if body is None else body).encode(), "service", lambda key, token: secret, now)

    def test_the_suite_passes(self):
        for name in ("get-vanilla", "get-vanilla-query-order-key-case", "get-vanilla-utf8-query", "get-utf8", "get-space", "get-slashes", "get-relative-relative", "get-slash-pointless-dot", "get-header-value-trim",
                     "post-x-www-form-urlencoded", "post-sts-header-before"):  # fmt: skip
            with self.subTest(name):
                self.assertEqual(self.check(name), "AKIDEXAMPLE")

    def test_what_was_changed_does_not(self):
        for more in ({"body": "Param1=value2"}, {"secret": "x"}, {"now": self.WHEN + datetime.timedelta(minutes=6)}):
            with self.subTest(more), self.assertRaises(sigv4.Refused):
                self.check("post-x-www-form-urlencoded", **more)


unittest.main(verbosity=1)
