"""The ledger's promise, checked. When nothing moves, for every pipeline

    received + recovered = filtered + dead_lettered + dropped + on_the_way + journaled

and for each of its outputs

    journaled = filtered + delivered + buffered + in_flight + dead_lettered + dropped

`recovered` are records that the agent found in its journal when it started. While records move, the
counters are read one after another and may be off by what moves in between.
"""

PIPELINE_PARTS = ("filtered", "dead_lettered", "on_the_way", "journaled")
OUTPUT_PARTS = ("filtered", "delivered", "buffered", "in_flight", "dead_lettered")


def dropped(part):
    return sum(part["dropped"].values())


def difference(name, whole, part, names):
    """A sentence when the parts do not add up to the whole, else None."""
    parts = {each: part[each] for each in names} | {"dropped": dropped(part)}
    if sum(parts.values()) == whole:
        return None
    equation = " + ".join(f"{each} {value}" for each, value in parts.items())
    return f"{name}: {whole} records came in, but {equation} = {sum(parts.values())}"


def imbalances(ledger):
    """One sentence for each pipeline and output whose sum is wrong."""
    wrong = []
    for pipeline in ledger["pipelines"]:
        name, came_in = pipeline["name"], pipeline["received"] + pipeline["recovered"]
        wrong.append(difference(name, came_in, pipeline, PIPELINE_PARTS))
        for output in pipeline["outputs"]:
            wrong.append(difference(f"{name} -> {output['name']}", pipeline["journaled"], output, OUTPUT_PARTS))
    return [sentence for sentence in wrong if sentence]


def assert_balanced(ledger):
    assert ledger["pipelines"], "the ledger names no pipeline"
    wrong = imbalances(ledger)
    assert not wrong, "the ledger does not balance:\n  " + "\n  ".join(wrong)
    assert all(pipeline.get("balanced", True) for pipeline in ledger["pipelines"]), "the ledger says itself that it is off"


def total(ledger, *names):
    """Numbers summed over pipelines and outputs; `dropped` over its reasons."""
    parts = [part for pipeline in ledger["pipelines"] for part in (pipeline, *pipeline["outputs"])]
    return sum(dropped(part) if name == "dropped" else part.get(name, 0) for part in parts for name in names)


def on_their_way(ledger):
    """Records that still have to come to some output."""
    return total(ledger, "on_the_way", "buffered", "in_flight")


def reasons(ledger):
    """What was dropped, by reason, over all pipelines and outputs."""
    found = {}
    for pipeline in ledger["pipelines"]:
        for part in (pipeline, *pipeline["outputs"]):
            for reason, count in part["dropped"].items():
                found[reason] = found.get(reason, 0) + count
    return found
