"""One output that is dead, beside one that lives: the live one does not notice, and memory stays as it is; also when the
dead one has come back and has its backlog."""

import statistics

from sluice_e2e import run
from sluice_e2e.ledger import assert_balanced
from sluice_e2e.samples import Sampler

SECONDS = 60
RATE = 5000  # records a second
LATE = RATE / 2  # most records that were written and are not with the live one
MORE_MEMORY = 4096  # kB in the second half, and after the backlog, over the first


def beside(sc, hurt, heal):
    """The live output's whole minute is watched; then the dead one is healed, and has everything, too."""
    log, live, dead = sc.log("app.log"), sc.receiver(), sc.receiver()
    config = sc.main_job(live, log.path)
    outputs = config["pipelines"]["main"]["outputs"]
    outputs += sc.main_job(dead, log.path, output={"timeout": "3s"})["pipelines"]["main"]["outputs"]
    config["pipelines"]["main"]["outputs"] = [{"elasticsearch": {**output["elasticsearch"], "name": name}}
                                              for name, output in zip(("live", "dead"), outputs, strict=True)]  # fmt: skip
    hurt(dead)
    agent = sc.agent(config)
    samples = Sampler(agent, log, live)
    with log.background(rate=RATE):
        for _ in range(SECONDS):
            samples.take()
    late = max(row["behind"] for row in samples.rows)
    first, second = (statistics.median(row["rss_kb"] for row in half) for half in (samples.rows[5:SECONDS // 2], samples.rows[SECONDS // 2 :]))
    print(f"at most {late} records behind at {RATE} a second; {first:.0f} kB, then {second:.0f} kB")
    assert late <= LATE, f"the live output was {late} records behind"
    assert second <= first + MORE_MEMORY, f"memory grew from {first} to {second} kB"
    assert agent.ledger()["pipelines"][0]["outputs"][1]["delivered"] == 0
    heal(dead)
    sc.delivered_exactly(agent, live, log)
    sc.delivered_exactly(agent, dead, log, seconds=120)
    sc.wait(lambda: samples.take() or samples.rows[-1]["rss_kb"] <= first + MORE_MEMORY, "the memory that the backlog took is given back", 20)
    assert_balanced(agent.ledger())


def nobody_listens(sc):
    beside(sc, lambda dead: dead.stop(), lambda dead: dead.start())


def nobody_answers(sc):
    beside(sc, lambda dead: dead.script({"on": "", "how": "hang", "count": "forever"}), lambda dead: dead.script())


run(nobody_listens, nobody_answers)
