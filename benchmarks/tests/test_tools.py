"""The pacer keeps its pace and dates its records; the meter reports what a program cost; the reference leaks nothing."""

import json
import signal
import subprocess
import time
import unittest
from pathlib import Path

from bench_tools import TOOLS, RunningReceiver, ToolTest, tool


class TestPacer(ToolTest):
    def test_pace_numbers_and_dates(self):
        path = self.folder / "paced.log"
        before = time.time_ns()
        made = json.loads(tool("sluice-pacer", "--rate", "5MB", "--seconds", 2, path).stdout)
        after = time.time_ns()
        self.assertAlmostEqual(made["bytes"], 10_000_000, delta=100_000)
        self.assertEqual(path.stat().st_size, made["bytes"])
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([record["n"] for record in records], list(range(made["records"])))
        stamps = [record["t"] for record in records]
        self.assertEqual(stamps, sorted(stamps))
        self.assertTrue(before <= stamps[0] and stamps[-1] <= after)
        half = sum(stamp < (before + after) // 2 for stamp in stamps)
        self.assertAlmostEqual(half / len(stamps), 0.5, delta=0.1)


class TestMeasure(ToolTest):
    def measure(self, *command, cpus="0"):
        out = self.folder / "cost.json"
        done = tool("sluice-measure", "--cpus", cpus, "--out", out, "--", *command, check=False)
        return done, json.loads(out.read_text())

    def test_processor_time_and_memory(self):
        work = "x = bytearray(100_000_000)\nimport time\nwhile time.process_time() < 0.5: pass"
        done, cost = self.measure("python3", "-c", work)
        self.assertEqual((done.returncode, cost["status"], cost["signal"]), (0, 0, 0))
        self.assertAlmostEqual(cost["user_seconds"] + cost["system_seconds"], 0.5, delta=0.2)
        self.assertGreaterEqual(cost["wall_seconds"], 0.45)
        self.assertTrue(100e6 < cost["peak_bytes"] < 130e6, cost)

    def test_a_small_program_is_reported_small(self):
        _, cost = self.measure("true")
        self.assertLess(cost["peak_bytes"], 5e6)

    def test_the_program_is_bound_to_its_processor(self):
        done, _ = self.measure("python3", "-c", "import os; print(os.sched_getaffinity(0))")
        self.assertEqual(done.stdout, "{0}\n")

    def test_exit_codes_and_signals_are_passed_on(self):
        done, cost = self.measure("sh", "-c", "exit 7")
        self.assertEqual((done.returncode, cost["status"]), (7, 7))
        done, cost = self.measure("sh", "-c", "kill -KILL $$")
        self.assertEqual((done.returncode, cost["signal"]), (137, 9))

    def test_stop_reaches_the_program(self):
        out = self.folder / "cost.json"
        meter = subprocess.Popen([str(TOOLS / "sluice-measure"), "--out", str(out), "--", "sh", "-c",
                                  "trap 'echo stopped; exit 3' TERM; echo ready; while :; do sleep 0.05; done"],
                                 stdout=subprocess.PIPE, text=True)
        self.assertEqual(meter.stdout.readline(), "ready\n")
        meter.send_signal(signal.SIGTERM)
        self.assertEqual(meter.communicate(timeout=10)[0], "stopped\n")
        self.assertEqual((meter.returncode, json.loads(out.read_text())["status"]), (3, 3))

    def test_the_program_does_not_outlive_its_meter(self):
        meter = subprocess.Popen([str(TOOLS / "sluice-measure"), "--out", str(self.folder / "cost.json"), "--",
                                  "sh", "-c", "echo $$; exec sleep 60"], stdout=subprocess.PIPE, text=True)
        program = int(meter.stdout.readline())
        meter.kill()
        meter.wait()
        deadline = time.monotonic() + 10
        while Path(f"/proc/{program}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(Path(f"/proc/{program}").exists())
        meter.stdout.close()

    def test_a_program_that_is_not_there(self):
        done, cost = self.measure("/no/such/program")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such/program", done.stderr)
        self.assertEqual(cost["status"], 1)


@unittest.skipUnless((TOOLS / "straight-line").exists(), "the reference needs AVX2")
class TestReference(ToolTest):
    def deliver(self, *options):
        canaries = self.folder / "canaries"
        path, made = self.corpus("winston", 5_000_000, 1, "corpus.log", "--canaries", canaries)
        receiver = RunningReceiver(self, "--check", str(made["records"]), "--canaries", str(canaries))
        tool("straight-line", "--file", path, "--port", receiver.port, *options)
        counts = receiver.stop()
        self.assertEqual([counts[name] for name in ("missing", "doubled", "unexpected", "unnumbered", "malformed")],
                         [0] * 5)
        return counts, len(canaries.read_text().splitlines())

    def test_every_record_once_in_every_mode(self):
        for options in ([], ["--json"], ["--json", "--gzip"], ["--json", "--journal", self.folder / "journal"]):
            counts, planted = self.deliver(*options)
            self.assertEqual(counts["canaries"], planted, "nothing is taken out unless asked")

    def test_no_secret_gets_through(self):
        journal = self.folder / "journal"
        counts, planted = self.deliver("--json", "--redact", "--journal", journal)
        self.assertGreater(planted, 5000)
        self.assertEqual(counts["canaries"], 0)
        self.assertGreater(journal.stat().st_size, 100_000)


if __name__ == "__main__":
    unittest.main()
