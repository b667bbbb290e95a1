"""Where AWS hands out credentials, and a service that wants them, in one process on one port:

  /latest/...              the instance metadata service, version 2
  /container               ECS and EKS Pod Identity
  POST /                   STS: AssumeRole (signed), AssumeRoleWithWebIdentity
  /federation/credentials  IAM Identity Center
  POST /logs...            a service that checks signature, token and age

Everything that is handed out is new, has a name that tells where it is from (IMDS-3), and ends after `life` seconds.
"""

import datetime
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from . import sigv4

ROLE = "web"
METADATA = "/latest/meta-data/"


def as_time(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cloud:
    """What was handed out, and what is wanted. All of it may be changed while it runs."""

    def __init__(self):
        self.lock = threading.Lock()
        self.life = 3600
        self.down = False  # nobody answers usefully
        self.region = "eu-central-1"
        self.container_token = ""
        self.web_token = ""
        self.sso_token = ""
        self.external_id = ""
        self.issued = {}  # access key: (secret, token, end)
        self.metadata_tokens = {}  # token: end
        self.count = {}  # handed out by source; refusals by name

    def tally(self, name):
        with self.lock:
            self.count[name] = self.count.get(name, 0) + 1
            return self.count[name]

    def issue(self, source):
        key = f"{source}-{self.tally(source)}"
        # whole seconds, as AWS gives them: up, so that it is never shorter than asked for
        given = (secrets.token_urlsafe(30), secrets.token_urlsafe(200), int(time.time() + self.life + 0.999))
        with self.lock:
            self.issued[key] = given
        return (key, *given)

    def add(self, key, secret):
        """A key that does not end, as a user has it."""
        self.issued[key] = (secret, "", None)

    def revoke(self, key):
        with self.lock:
            del self.issued[key]

    def find(self, key, token):
        with self.lock:
            secret, wanted, end = self.issued.get(key, (None, None, None))
        if secret is None:
            raise sigv4.Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        if token != wanted:
            raise sigv4.Refused("InvalidClientTokenId", "the token is not that of the key")
        if end is not None and time.time() > end:
            raise sigv4.Refused("ExpiredTokenException", "The security token included in the request is expired")
        return secret


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def cloud(self):
        return self.server.cloud

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="text/plain"):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if self.cloud.down:
            return self.answer(503, "<Error><Message>down for a test</Message></Error>")
        for prefix, method in (("/latest/", self.metadata), ("/container", self.container), ("/federation/", self.sso), ("/logs", self.logs), ("/", self.sts)):
            if path.startswith(prefix):
                return method(path, body)

    do_GET = do_PUT = do_POST = serve

    def refuse(self, status, name, text):
        self.cloud.tally(name)
        self.answer(status, json.dumps({"code": name, "message": text, "__type": name}), "application/json")

    def give_json(self, source):
        key, secret, token, end = self.cloud.issue(source)
        self.answer(200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": as_time(end)}))

    # -- the instance metadata service -----------------------------------------------------------

    def metadata(self, path, _):
        if path == "/latest/api/token":
            seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if self.command != "PUT" or not seconds.isdigit() or not 1 <= int(seconds) <= 21600 or "X-Forwarded-For" in self.headers:
                return self.refuse(400, "BadTokenRequest", "no TTL")
            token = secrets.token_urlsafe(40)
            self.cloud.metadata_tokens[token] = time.time() + int(seconds)
            return self.answer(200, token)
        if self.cloud.metadata_tokens.get(self.headers.get("X-aws-ec2-metadata-token"), 0) < time.time():
            return self.refuse(401, "NoMetadataToken", "version 2 wants a token")
        if path == METADATA + "placement/region":
            return self.answer(200, self.cloud.region)
        if path == METADATA + "iam/security-credentials/":
            return self.answer(200, ROLE)
        if path == METADATA + "iam/security-credentials/" + ROLE:
            return self.give_json("IMDS")
        return self.answer(404)

    # -- containers, IAM Identity Center ------------------------------------------------------------

    def container(self, *_):
        if self.headers.get("Authorization", "") != self.cloud.container_token:
            return self.refuse(403, "WrongContainerToken", "Authorization is not the token")
        return self.give_json("CONTAINER")

    def sso(self, *_):
        query = parse_qs(urlsplit(self.path).query)
        if self.headers.get("x-amz-sso_bearer_token") != self.cloud.sso_token or query != {"role_name": ["Reader"], "account_id": ["123456789012"]}:
            return self.refuse(401, "UnauthorizedException", "Session token not found or invalid")
        key, secret, token, end = self.cloud.issue("SSO")
        return self.answer(200, json.dumps({"roleCredentials": {"accessKeyId": key, "secretAccessKey": secret, "sessionToken": token, "expiration": end * 1000}}))

    # -- STS ------------------------------------------------------------------------------------------

    def sts(self, _, body):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        try:
            source = {"AssumeRole": self.assume_role, "AssumeRoleWithWebIdentity": self.web_identity}[form["Action"]](form, body)
        except sigv4.Refused as err:
            self.cloud.tally(err.name)
            return self.answer(403, f"<ErrorResponse><Error><Code>{err.name}</Code><Message>{err}</Message></Error></ErrorResponse>", "text/xml")
        key, secret, token, end = self.cloud.issue(source)
        return self.answer(200, f"""<{form["Action"]}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{form["Action"]}Result>
  <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
    <SessionToken>{token}</SessionToken><Expiration>{as_time(end)}</Expiration></Credentials>
</{form["Action"]}Result></{form["Action"]}Response>""", "text/xml")  # fmt: skip

    def assume_role(self, form, body):
        self.check("sts", body)
        if form.get("ExternalId", "") != self.cloud.external_id:
            raise sigv4.Refused("AccessDenied", "not authorized to perform sts:AssumeRole: the external id")
        return "ROLE"

    def web_identity(self, form, _):
        if form["WebIdentityToken"] != self.cloud.web_token or "Authorization" in self.headers:
            raise sigv4.Refused("InvalidIdentityToken", "the token is not the one that was given out last")
        return "WEB"

    # -- the service -------------------------------------------------------------------------------------

    def check(self, service, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        return sigv4.check(self.command, self.path, headers, body, service, self.cloud.find)

    def logs(self, _, body):
        try:
            self.answer(200, json.dumps({"key": self.check("logs", body)}))
        except sigv4.Refused as err:
            self.refuse(400, err.name, str(err))


class Server:
    """`cloud` is what it serves; `url` is where."""

    def __init__(self):
        self.cloud = Cloud()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.cloud = self.cloud
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
