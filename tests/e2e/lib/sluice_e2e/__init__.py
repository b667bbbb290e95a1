"""The end-to-end test harness: a scenario is a plain Python script, tests/e2e/<scenario>/test.py.

    from sluice_e2e import run

    def restart_loses_nothing(sc):
        log, index = sc.log("app.log"), sc.index()
        agent = sc.agent(sc.main_job(index, log.path))
        log.write(1000)
        agent.stop()
        log.write(1000)
        agent.start()
        sc.delivered_exactly(agent, index, log)

    run(restart_loses_nothing)

run() gives each function a Scenario of its own, cleans up after it, and exits 0 (pass), 1 (fail) or
77 (skipped, with the reason).  tests/e2e/run runs many and counts.
"""

from .agent import ROOT, Agent, AgentError, find_fault_binary
from .checks import assert_exactly, assert_none_lost, find_secrets
from .fake_logs import FakeLogs, error
from .kafka import Kafka, KafkaError
from .ledger import assert_balanced
from .scenario import Scenario, Skip, run
from .services import Receiver
from .writer import LogWriter

__all__ = ["ROOT", "Agent", "AgentError", "FakeLogs", "Kafka", "KafkaError", "LogWriter", "Receiver", "Scenario", "Skip", "assert_balanced",
           "assert_exactly", "assert_none_lost", "error", "find_fault_binary", "find_secrets", "run"]  # fmt: skip
