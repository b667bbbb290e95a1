"""loguru rotates, zips and removes by itself while the agent follows; every line arrives once and no secret does."""

from sluice_e2e import run

REDACT = {"redact": {"keys": ["authorization", "x-api-key", "cookie", "password", "token", "secret"], "detect": "all"}}
FILTERS = [{"parse": {"format": "json", "time": {"field": "timestamp"}}}, REDACT]


def rotated_and_zipped_while_the_agent_follows(sc):
    index = sc.index()
    config = sc.main_job(index, sc.path("logs", "health_checker*.jsonl"), filters=FILTERS, tail={"exclude": ["*.zip"]})
    agent = sc.agent(config)
    app = sc.application("loguru", count=30000, rate=6000, rotation="2 MB")
    sc.wait(app.is_done, "loguru has written everything", 120)
    written = app.numbers("health_checker*")
    assert len(written) == 30000, f"loguru wrote {len(written)} lines"
    sc.delivered_exactly(agent, index, numbers=written, seconds=120)
    leaks = app.leaks({"the index": index.raw_docs(), "the agent's log": agent.log_text().encode()})
    assert not leaks, leaks


run(rotated_and_zipped_while_the_agent_follows)
