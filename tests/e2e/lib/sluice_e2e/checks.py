"""Did exactly what was written arrive, and no secret with it?"""

import os
from collections import Counter

SHOWN = 20


def shorten(numbers):
    listed = ", ".join(str(n) for n in numbers[:SHOWN])
    return listed + (f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else "")


def assert_exactly(docs, expected, key="n"):
    """`docs`: documents as dicts. `expected`: how many were written (numbers 0 to expected-1), or the
    numbers themselves. Names the numbers that are lost, doubled or were never written."""
    expected = set(range(expected)) if isinstance(expected, int) else set(expected)
    found = Counter(doc.get(key) for doc in docs)
    lost = sorted(expected - set(found))
    doubled = sorted(n for n, times in found.items() if times > 1 and n in expected)
    strange = sorted(map(str, set(found) - expected))
    faults = []
    for name, numbers in (("lost", lost), ("doubled", doubled), ("never written", strange)):
        if numbers:
            faults.append(f"{len(numbers)} {name}: {shorten(numbers)}")
    assert not faults, f"of {len(expected)} records written, {sum(found.values())} arrived; " + "; ".join(faults)


def assert_none_lost(found, expected):
    """For a receiver that does not know ids: a record may be there twice, as the same one. `found`: pairs of a
    number and an id. `expected`: as above. Returns how many are there more than once."""
    ids = {}
    for number, identity in found:
        ids.setdefault(number, []).append(identity)
    assert_exactly([{"n": number} for number in ids], expected)
    others = sorted(number for number, each in ids.items() if len(set(each)) > 1)
    assert not others, f"{len(others)} are there under several ids: {shorten(others)}"
    return sum(len(each) > 1 for each in ids.values())


def find_secrets(secrets, places):
    """Where any of `secrets` (strings) occurs in `places`: a dict of name -> bytes, or paths of files
    and folders. Returns sentences; they name the secret's number, not the secret."""
    found = []
    needles = [(number, secret.encode()) for number, secret in enumerate(secrets)]
    for name, data in contents(places):
        hits = [number for number, needle in needles if needle in data]
        if hits:
            found.append(f"{name}: {len(hits)} of the secrets sought, the first is number {hits[0]}")
    return found


def contents(places):
    if isinstance(places, dict):
        yield from places.items()
        return
    for place in places:
        if os.path.isfile(place):
            yield place, read_bytes(place)
        for root, _, files in os.walk(place):
            for name in files:
                path = os.path.join(root, name)
                if os.path.isfile(path):
                    yield path, read_bytes(path)


def read_bytes(path):
    with open(path, "rb") as source:
        return source.read()
