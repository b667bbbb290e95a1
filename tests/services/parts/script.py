"""The receiver's script: what it does wrong, in which order and how often.

A script is JSON: {"steps": [STEP, ...], "max_body": BYTES or null}.  A request takes the first step
left whose `on` matches it; when none does, it is served as a healthy Elasticsearch would serve it.
Unknown keys are errors, so that a misspelt fault can't pass as "no fault".

STEP keys, all optional:
  name        label shown by /__requests
  on          regex searched in "METHOD /path?query"; default: every bulk request.
              "CONNECT" acts on a new connection, before TLS and before a byte is read
  count       how many requests take the step, default 1, or "forever"
  delay       seconds to wait before answering
  read        read only so many bytes of the body, then act (answer early, or `how`)
  read_rate   bytes a second at which the body is read
  write_rate  bytes a second at which the answer is written
  status      answer with this status instead of the real answer
  headers     answer with these headers too, e.g. {"Retry-After": "2"}
  body        answer with this body: a string is sent as it is, anything else as JSON
  body_kind   "empty" | "garbage" (random bytes) | "html" | "endless" (never ends)
  form        how the answer is put: "http10" (HTTP/1.0, its end is the connection's) | "chunked" (with trailers) |
              "gzip" (not asked for) | "noise" (random bytes, no HTTP) | "endless_head" (headers that never end)
  cut         send so many bytes of the answer (head and body), then `how`
  how         "close" | "reset" (RST) | "hang" (until the client goes) | "half_close"
  store       whether the documents are taken in; default: yes if the answer is, or would have
              been, a success, and the body was read whole
  items       rules for single items of a bulk answer, see ItemRule
  style       how the bulk answer is written: "compact" | "spaced" | "lines" | "errors_last" | "no_errors"
"""

import re
import threading
from dataclasses import dataclass, field, fields

FOREVER = "forever"
BULK = r"^(POST|PUT) [^?]*/_bulk"
HOWS = ("close", "reset", "hang", "half_close")
BODY_KINDS = ("empty", "garbage", "html", "endless")
FORMS = ("http10", "chunked", "gzip", "noise", "endless_head")
STYLES = ("compact", "spaced", "lines", "errors_last", "no_errors")

# What Elasticsearch itself says when it refuses one item, by status.
ITEM_ERRORS = {
    400: ("document_parsing_exception", "[1:33] failed to parse field [n] of type [long]"),
    404: ("index_not_found_exception", "no such index"),
    413: ("circuit_breaking_exception", "[parent] Data too large"),
    429: ("es_rejected_execution_exception", "rejected execution of primary operation"),
    503: ("unavailable_shards_exception", "primary shard is not active"),
}


class ScriptError(ValueError):
    """The script is wrong; the message says where."""


def build(cls, what, data):
    """One dataclass from a JSON object, refusing keys that the class has no field for."""
    if not isinstance(data, dict):
        raise ScriptError(f"{what}: a JSON object is wanted, not {data!r}")
    known = {f.name for f in fields(cls) if f.init}
    unknown = sorted(set(data) - known)
    if unknown:
        raise ScriptError(f"{what}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return cls(**data)


def check_choice(what, value, choices):
    if value is not None and value not in choices:
        raise ScriptError(f"{what}: {value!r} is none of {', '.join(choices)}")


def check_number(what, value, least=0):
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < least):
        raise ScriptError(f"{what}: {value!r} is not a number from {least} up")


@dataclass
class ItemRule:
    """Refuses single items: every nth (`every`, `offset`) or those whose document matches `match`.
    `times` limits how often one and the same id is refused, so that a retry can succeed."""

    status: int = 429
    every: int = 1
    offset: int = 0
    match: str = ""
    times: object = FOREVER
    type: str = ""
    reason: str = ""
    refused: dict = field(default_factory=dict, init=False)

    def __post_init__(self):
        check_number("items.status", self.status, 300)
        check_number("items.every", self.every, 1)
        default_type, default_reason = ITEM_ERRORS.get(self.status, ("exception", "refused by the script"))
        self.type = self.type or default_type
        self.reason = self.reason or default_reason

    def refuses(self, position, op):
        """Whether the item at `position` of the request is refused; counts the refusal."""
        if position % self.every != self.offset % self.every:
            return False
        if self.match and not re.search(self.match.encode(), op.raw or b""):
            return False
        key = (op.index, op.id)
        if self.times != FOREVER and self.refused.get(key, 0) >= self.times:
            return False
        self.refused[key] = self.refused.get(key, 0) + 1
        return True


@dataclass
class Step:
    name: str = ""
    on: str = BULK
    count: object = 1
    delay: float = 0
    read: int = None
    read_rate: float = None
    write_rate: float = None
    status: int = None
    headers: dict = field(default_factory=dict)
    body: object = None
    body_kind: str = None
    form: str = None
    cut: int = None
    how: str = None
    store: bool = None
    items: list = field(default_factory=list)
    style: str = "compact"

    def __post_init__(self):
        if self.count != FOREVER:
            check_number("count", self.count, 1)
        for name in ("delay", "read", "read_rate", "write_rate", "cut"):
            check_number(name, getattr(self, name))
        check_number("status", self.status, 100)
        check_choice("how", self.how, HOWS)
        check_choice("body_kind", self.body_kind, BODY_KINDS)
        check_choice("form", self.form, FORMS)
        check_choice("style", self.style, STYLES)
        if self.cut is not None and self.how is None:
            raise ScriptError("cut: say with `how` what happens after the cut")
        try:
            self.pattern = re.compile(self.on)
        except re.error as err:
            raise ScriptError(f"on: {self.on!r} is no regular expression: {err}") from err
        self.items = [build(ItemRule, "items", rule) for rule in self.items]

    def takes_documents(self, read_whole):
        if self.store is not None:
            return self.store and read_whole
        return read_whole and (self.status is None or 200 <= self.status < 300)


class Script:
    """The steps left.  Shared by all connections."""

    def __init__(self, data=None, max_body=None):
        self._lock = threading.Lock()
        self._base_max_body = max_body
        self.load(data or {})

    def load(self, data):
        if not isinstance(data, dict) or set(data) - {"steps", "max_body"}:
            raise ScriptError("script: an object with the keys steps and max_body is wanted")
        check_number("max_body", data.get("max_body"))
        steps = [build(Step, f"steps[{i}]", step) for i, step in enumerate(data.get("steps", []))]
        with self._lock:
            self._steps = [[step, step.count] for step in steps]
            self.max_body = data.get("max_body", self._base_max_body)

    def take(self, event):
        """The step for this event ("CONNECT" or "METHOD /path?query"), or None for a healthy answer."""
        with self._lock:
            for entry in self._steps:
                step, left = entry
                if not step.pattern.search(event):
                    continue
                if left != FOREVER:
                    entry[1] = left - 1
                    if entry[1] == 0:
                        self._steps.remove(entry)
                return step
        return None

    def left(self):
        with self._lock:
            return [{"name": step.name, "on": step.on, "left": left} for step, left in self._steps]
