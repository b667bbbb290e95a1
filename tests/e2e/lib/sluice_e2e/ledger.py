"""The ledger's promise, checked: for every pipeline and output, at any moment,

    received + recovered = filtered + delivered + buffered + in_flight + dead_lettered + dropped

`recovered` are records that the agent found in its journal when it started.  What the pipeline itself
filtered, dead-lettered or dropped never came to an output and counts for each of them.
"""


def dropped(part):
    return sum(part.get("dropped", {}).values())


def output_parts(pipeline, output):
    """The right side of the equation, by name."""
    return {
        "filtered": pipeline.get("filtered", 0) + output.get("filtered", 0),
        "delivered": output.get("delivered", 0),
        "buffered": output.get("buffered", 0),
        "in_flight": output.get("in_flight", 0),
        "dead_lettered": pipeline.get("dead_lettered", 0) + output.get("dead_lettered", 0),
        "dropped": dropped(pipeline) + dropped(output),
    }


def imbalances(ledger):
    """One sentence for each output whose sum is wrong."""
    wrong = []
    for pipeline in ledger["pipelines"]:
        taken_in = pipeline["received"] + pipeline.get("recovered", 0)
        for output in pipeline["outputs"]:
            parts = output_parts(pipeline, output)
            if sum(parts.values()) != taken_in:
                equation = " + ".join(f"{name} {value}" for name, value in parts.items())
                wrong.append(
                    f"{pipeline['name']} -> {output['name']}: received {pipeline['received']} + recovered "
                    f"{pipeline.get('recovered', 0)} = {taken_in}, but {equation} = {sum(parts.values())}"
                )
    return wrong


def assert_balanced(ledger):
    assert ledger["pipelines"], "the ledger names no pipeline"
    wrong = imbalances(ledger)
    assert not wrong, "the ledger does not balance:\n  " + "\n  ".join(wrong)


def pending(ledger):
    """Records that are still on their way to some output."""
    return sum(
        output.get("buffered", 0) + output.get("in_flight", 0) for pipeline in ledger["pipelines"] for output in pipeline["outputs"]
    )


def total(ledger, name):
    """A number summed over pipelines and outputs, `dropped` over its reasons."""
    parts = [part for pipeline in ledger["pipelines"] for part in (pipeline, *pipeline["outputs"])]
    return sum(dropped(part) if name == "dropped" else part.get(name, 0) for part in parts)
