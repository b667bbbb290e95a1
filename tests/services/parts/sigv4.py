"""AWS Signature Version 4, checked as a service does: from what came over the wire, and with nothing of the agent's.

Source: "Create a signed AWS API request", IAM User Guide (reference_sigv-create-signed-request.html).
"""

import datetime
import hashlib
import hmac
import re
from urllib.parse import quote, unquote_to_bytes

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
MAX_SKEW = datetime.timedelta(minutes=5)


class Refused(Exception):
    """The reason's name as AWS spells it, and a sentence."""

    def __init__(self, name, text):
        super().__init__(text)
        self.name = name


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    return "&".join(f"{name}={value}" for name, value in sorted(tuple(quote(unquote_to_bytes(part), safe="-_.~") for part in pair) for pair in pairs))


def canonical_path(path):
    """RFC 3986, 5.2.4, and no empty segments; what was encoded for the wire is encoded once more."""
    kept = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    ends = "/" if kept and path.rsplit("/", 1)[-1] in ("", ".", "..") else ""
    return quote("/" + "/".join(kept) + ends, safe="/-_.~")


def canonical_request(method, target, headers, names, body):
    path, _, query = target.partition("?")
    lines = [method, canonical_path(path), canonical_query(query)]
    lines += [f"{name}:{' '.join(headers[name].split())}" for name in names]
    return "\n".join([*lines, "", ";".join(names), hashlib.sha256(body).hexdigest()])


def check_headers(headers, names):
    wanted = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if "content-type" in headers:
        wanted.add("content-type")
    missing = wanted - set(names)
    if missing or names != sorted(names):
        raise Refused("IncompleteSignature", f"not signed: {sorted(missing)}, order {names}")


def check(method, target, headers, body, service, find, now=None):
    """Who sent it: the access key. `headers`: names in lower case. `find(key, token)` gives the secret or raises."""
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        raise Refused("MissingAuthenticationToken", "no Authorization of version 4")
    key, day, region, scope, names, signature = match.groups()
    names = names.split(";")
    check_headers(headers, names)
    time = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    now = now or datetime.datetime.now(datetime.timezone.utc)
    if abs(now - time) > MAX_SKEW or day != headers["x-amz-date"][:8]:
        raise Refused("SignatureDoesNotMatch", f"Signature expired: {headers['x-amz-date']}")
    if scope != service:
        raise Refused("SignatureDoesNotMatch", f"scoped to service {scope}, not {service}")
    secret = find(key, headers.get("x-amz-security-token", ""))
    request = canonical_request(method, target, headers, names, body)
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], f"{day}/{region}/{scope}/aws4_request", hashlib.sha256(request.encode()).hexdigest()])
    derived = f"AWS4{secret}".encode()
    for part in (day, region, scope, "aws4_request"):
        derived = sign(derived, part)
    if sign(derived, text).hex() != signature:
        raise Refused("SignatureDoesNotMatch", f"canonical request was:\n{request}")
    return key
