"""The bulk API and the documents behind it, as far as a log shipper meets them.

Documents are kept as the bytes that arrived, so that a test can see whether a number kept its digits
and a key its spelling.  `create` answers 201 once and 409 afterwards, as Elasticsearch does.
"""

import json
import threading
import uuid
from dataclasses import dataclass

ACTIONS = ("create", "index", "update", "delete")


class BulkError(ValueError):
    """The request as a whole is malformed: Elasticsearch answers 400 and takes nothing."""


@dataclass
class Op:
    action: str
    index: str
    id: str
    raw: bytes  # the document's line; None for delete
    meta: dict


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def check_document(raw):
    """The reason why `raw` is no JSON object, or None."""
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=refuse_constant, parse_int=str, parse_float=str)
    except (UnicodeDecodeError, ValueError, RecursionError) as err:
        return str(err)
    return None if isinstance(document, dict) else "not a JSON object"


def parse_action(number, line, default_index):
    try:
        action_line = json.loads(line)
    except ValueError as err:
        raise BulkError(f"Malformed action/metadata line [{number}]: {err}") from err
    if not isinstance(action_line, dict) or len(action_line) != 1:
        raise BulkError(f"Malformed action/metadata line [{number}], expected one action")
    ((action, meta),) = action_line.items()
    if action not in ACTIONS or not isinstance(meta, dict):
        raise BulkError(f"Malformed action/metadata line [{number}], unknown action [{action}]")
    index = meta.get("_index", default_index)
    if not index:
        raise BulkError("Validation Failed: 1: index is missing;")
    return action, index, meta


def parse_bulk(body, default_index=None):
    """The operations of a bulk body, or BulkError."""
    if not body.endswith(b"\n"):
        raise BulkError("The bulk request must be terminated by a newline [\\n]")
    lines = body.split(b"\n")[:-1]
    ops, i = [], 0
    while i < len(lines):
        action, index, meta = parse_action(i + 1, lines[i], default_index)
        i += 1
        raw = None
        if action != "delete":
            if i >= len(lines):
                raise BulkError(f"Malformed content, no document after action line [{i}]")
            raw, i = lines[i], i + 1
        ops.append(Op(action, index, meta.get("_id") or uuid.uuid4().hex[:20], raw, meta))
    if not ops:
        raise BulkError("Validation Failed: 1: no requests added;")
    return ops


def item(op, status, error=None):
    result = {"_index": op.index, "_id": op.id, "status": status}
    if error:
        result["error"] = {"type": error[0], "reason": error[1]}
    else:
        result.update({"_version": 1, "result": {201: "created", 404: "not_found"}.get(status, "updated")})
    return {op.action: result}


class Store:
    """Documents by index and id.  With a file, every document taken in is appended to it and read
    back at the next start, so that a restarted receiver still answers 409."""

    COUNTERS = ("created", "indexed", "conflicts", "deleted", "refused", "malformed")

    def __init__(self, path=None):
        self._lock = threading.Lock()
        self.indices = {}
        self.counters = dict.fromkeys(self.COUNTERS, 0)
        self._file = None
        if path:
            self._load(path)
            self._file = open(path, "ab", buffering=0)

    def _load(self, path):
        try:
            with open(path, "rb") as kept:
                for line in kept:
                    head, raw = line.rstrip(b"\n").split(b"\t", 1)
                    index, doc_id = json.loads(head)
                    self.indices.setdefault(index, {})[doc_id] = raw
        except FileNotFoundError:
            return

    parse = staticmethod(parse_bulk)

    def apply(self, ops, rules=()):
        """Carries the operations out, except those a rule refuses; returns the answer's items."""
        with self._lock:
            kept = []
            items = [self._apply_one(position, op, rules, kept) for position, op in enumerate(ops)]
            if self._file and kept:
                self._file.write(b"".join(kept))
        return items

    def _apply_one(self, position, op, rules, kept):
        for rule in rules:
            if rule.refuses(position, op):
                self.counters["refused"] += 1
                return item(op, rule.status, (rule.type, rule.reason))
        documents = self.indices.setdefault(op.index, {})
        if op.action == "delete":
            self.counters["deleted"] += 1
            return item(op, 200 if documents.pop(op.id, None) is not None else 404)
        reason = check_document(op.raw)
        if reason:
            self.counters["malformed"] += 1
            return item(op, 400, ("document_parsing_exception", reason))
        return self._put(op, documents, kept)

    def _put(self, op, documents, kept):
        known = op.id in documents
        if op.action == "create" and known:
            self.counters["conflicts"] += 1
            reason = f"[{op.id}]: version conflict, document already exists (current version [1])"
            return item(op, 409, ("version_conflict_engine_exception", reason))
        documents[op.id] = op.raw
        self.counters["created" if op.action == "create" else "indexed"] += 1
        kept.append(json.dumps([op.index, op.id]).encode() + b"\t" + op.raw + b"\n")
        return item(op, 200 if known else 201)

    def count(self, index=None):
        with self._lock:
            return sum(len(docs) for name, docs in self.indices.items() if index in (None, name))

    def dump(self):
        """All documents as NDJSON: {"_index": ..., "_id": ..., "_source": the bytes that came}."""
        with self._lock:
            for index, documents in self.indices.items():
                for doc_id, raw in documents.items():
                    head = json.dumps({"_index": index, "_id": doc_id})[:-1].encode()
                    yield head + b', "_source": ' + raw + b"}\n"

    def stats(self):
        with self._lock:
            docs = {name: len(documents) for name, documents in self.indices.items()}
            return {"docs": sum(docs.values()), "indices": docs, **self.counters}

    def clear(self):
        with self._lock:
            self.indices.clear()
            self.counters = dict.fromkeys(self.COUNTERS, 0)
            if self._file:
                self._file.truncate(0)


def write_answer(items, style):
    """The bulk answer's bytes.  The styles differ in nothing but spelling, which no client may mind,
    except `no_errors`, which leaves the summary out."""
    errors = any("error" in next(iter(one.values())) for one in items)
    answer = {"took": 3, "errors": errors, "items": items}
    if style == "spaced":
        return json.dumps(answer, separators=(" , ", " : ")).encode()
    if style == "lines":
        return json.dumps(answer, indent="\t").encode()
    if style == "errors_last":
        answer = {"took": 3, "ingest_took": 1, "items": items, "errors": errors}
    if style == "no_errors":
        answer = {"took": 3, "items": items}
    return json.dumps(answer, separators=(",", ":")).encode()
