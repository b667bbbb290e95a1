"""The runner: rows from end to end, and every fault of an agent shown and answered with exit code 1."""

import json
import os
import subprocess
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree as xml
from dataclasses import replace
from pathlib import Path

from bench_tools import BENCHMARKS, TOOLS, ToolTest

from bench_agents import Sluice, StraightLine
from bench_packages import missing_dependencies, unpack_packages
from bench_plot import COLORS, nice_step, plot_figure
from bench_report import format_ratios, format_table
from bench_rows import Row, fill_template, load_rows
from bench_summary import compare_rows, is_broken, not_run, summarize

FAKE = Path(__file__).parent / "fake_sluice.py"
FIGURES = {"cpu_s_per_gb": 1.0, "mb_per_s": 100.0, "peak_mb": 10.0, "lost": 0, "doubled": 0, "spoiled": 0, "secrets": 0}


def make_row(**fields):
    return Row(name="row", folder=Path("/nowhere"), title="a row", order=1,
               **{"limits": {"cpu_s_per_gb": 2.0, "mb_per_s": 50}, **fields})


class TestParts(unittest.TestCase):
    def test_every_row_of_the_project_loads_and_fills(self):
        rows = load_rows(BENCHMARKS / "scenarios")
        self.assertIn("main-job", [row.name for row in rows])
        names = ("corpus", "corpus_folder", "port", "url", "http", "data_dir", "journal")
        for row in rows:
            for name in ("sluice.yaml.in", "fill.yaml.in") if row.backlog else ("sluice.yaml.in",):
                if "sluice" not in row.cannot:
                    filled = fill_template(row.template(name).read_text(), {name: "x" for name in names})
                    self.assertNotIn("@", filled)
            self.assertTrue(row.against.get("row", "json") in {other.name for other in rows})

    def test_an_unknown_row_or_placeholder_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "main-jb"):
            load_rows(BENCHMARKS / "scenarios", ["main-jb"])
        with self.assertRaisesRegex(ValueError, "@colour@"):
            fill_template("a @colour@ b", {"port": 1})

    def test_medians_and_limits(self):
        runs = [{**FIGURES, "cpu_s_per_gb": value} for value in (1.0, 9.0, 1.5)]
        line = summarize(make_row(), Sluice("x"), runs, [])
        self.assertEqual((line["median"]["cpu_s_per_gb"], line["spread"]["cpu_s_per_gb"]), (1.5, (1.0, 9.0)))
        self.assertEqual((line["missed"], is_broken(line)), ([], False))
        slow = summarize(make_row(), Sluice("x"), [{**FIGURES, "mb_per_s": 49.0, "cpu_s_per_gb": 2.5}], [])
        self.assertEqual(slow["missed"], ["CPU s/GB 2.50, limit 2", "MB/s 49, limit 50"])
        self.assertFalse(is_broken(slow), "slow is not wrong")

    def test_one_bad_run_among_good_ones_breaks_the_row(self):
        for fault in ("lost", "doubled", "spoiled"):
            runs = [FIGURES, {**FIGURES, fault: 1}, FIGURES]
            self.assertTrue(is_broken(summarize(make_row(), Sluice("x"), runs, [])), fault)
        self.assertTrue(is_broken(summarize(make_row(), Sluice("x"), [FIGURES], ["it died"])))
        leak = summarize(make_row(secrets_out=True), Sluice("x"), [{**FIGURES, "secrets": 1}], [])
        self.assertTrue(is_broken(leak))

    def test_a_row_is_held_against_another(self):
        fast, slow = (make_row(limits={}, against=against) for against in (
            {}, {"row": "fast", "figure": "cpu_s_per_gb", "at_most": 1.5}))
        lines = [{**summarize(row, Sluice("x"), [{**FIGURES, "cpu_s_per_gb": cpu}], []), "row": name}
                 for row, name, cpu in ((fast, "fast", 1.0), (slow, "slow", 1.6))]
        rows = [replace(fast, name="fast"), replace(slow, name="slow")]
        compare_rows(rows, lines)
        self.assertEqual(lines[1]["missed"], ["CPU s/GB 1.60 times that of fast, limit 1.5"])
        self.assertIn("CPU s/GB 1.60 x fast <= 1.5", format_table(lines))
        alone = [{**lines[1], "missed": []}]
        del alone[0]["against"]
        compare_rows(rows, alone)
        self.assertNotIn("against", alone[0], "nothing to compare with")

    def test_a_row_that_an_agent_cannot_do_says_why(self):
        line = not_run(make_row(), "x", "it has no regular expressions")
        self.assertFalse(is_broken(line))
        self.assertRegex(format_table([line]), "it has no regular expressions .* not run")

    def test_faults_of_a_peer_are_shown_but_are_not_ours(self):
        peer = StraightLine("x")
        self.assertFalse(is_broken(summarize(make_row(), peer, [{**FIGURES, "lost": 1}], [])))
        died = summarize(make_row(), peer, [], ["it died"])
        self.assertFalse(is_broken(died))
        self.assertIn("failed", format_table([died]))

    def test_every_configuration_of_a_peer_fills(self):
        names = ("corpus", "corpus_folder", "port", "url", "http", "data_dir", "journal")
        for row in load_rows(BENCHMARKS / "scenarios"):
            for name in ("rsyslog.conf.in", "syslog-ng.conf.in"):
                if row.template(name).exists():
                    self.assertNotIn(name.partition(".")[0], row.cannot, "it can, or it can't")
                    fill_template(row.template(name).read_text(), {**row.settings, **{name: "x" for name in names}})
                elif not row.name.startswith("workers"):
                    self.assertIn(name.partition(".")[0], row.cannot, row.name)

    def test_ratios_say_how_much_better_ours_is(self):
        ours = summarize(make_row(), Sluice("x"), [FIGURES], [])
        theirs = summarize(make_row(), StraightLine("x"), [{**FIGURES, "cpu_s_per_gb": 5, "mb_per_s": 20}], [])
        self.assertRegex(format_ratios([ours, theirs]), r"\| row \| straight-line \| 5\.0 +\| 5\.0 ")
        self.assertEqual(format_ratios([ours]), "")

    def test_what_peers_need_is_asked_of_the_package_manager(self):
        said = "Reading...\nInst libx1 (1.0 Debian)\nInst y (2 Debian)\nConf y (2)\n"
        with unittest.mock.patch("bench_packages.run", return_value=said):
            self.assertEqual(missing_dependencies(["y"]), ["libx1", "y"])
        with self.assertRaisesRegex(ValueError, "no-such-package-at-all failed"):
            unpack_packages(["no-such-package-at-all"], Path(self.enterContext(tempfile.TemporaryDirectory())) / "peer")

    def test_table_and_plot_of_a_row_without_runs(self):
        line = summarize(make_row(), Sluice("x"), [], ["it died"])
        self.assertIn("failed", format_table([line]))
        self.assertIsNone(plot_figure([line], "cpu_s_per_gb", "seconds"))

    def test_a_plot_has_a_bar_for_each_agent_and_the_limit(self):
        lines = [summarize(make_row(), agent, [FIGURES], []) for agent in (Sluice("x"), StraightLine("x"))]
        drawn = xml.fromstring(plot_figure(lines, "cpu_s_per_gb", "seconds & more"))
        fills = [part.get("fill") for part in drawn.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(fills, ["white", COLORS["sluice"], COLORS["straight-line"]])
        limits = [part for part in drawn.iter("{http://www.w3.org/2000/svg}line") if part.get("stroke") == "#c53030"]
        self.assertEqual(len(limits), 1)

    def test_axis_has_at_most_ten_parts(self):
        self.assertEqual([nice_step(top) for top in (0.7, 1.9, 4.2, 17.0, 70.0)], [0.1, 0.2, 0.5, 2, 10])


class TestWhole(ToolTest):
    def peers(self):
        """A folder in which rsyslog seems to be unpacked."""
        root = self.folder / "peers" / "rsyslog" / "root" / "usr"
        for folder in ("sbin", "lib/rsyslog"):
            (root / folder).mkdir(parents=True)
        (root / "sbin" / "rsyslogd").symlink_to(FAKE.with_name("fake_peer.py"))
        (root / "lib" / "rsyslog" / "imfile.so").touch()
        (root / "lib" / "libestr.so.0").touch()
        return str(self.folder / "peers")

    def bench(self, *arguments, fault=""):
        self.out = self.folder / "results"
        return subprocess.run(
            [str(BENCHMARKS / "run"), "--tools", str(TOOLS), "--sluice", str(FAKE), "--out", str(self.out),
             "--work", str(self.folder / "work"), "--bytes", "2MB", *arguments],
            env={**os.environ, "FAKE_FAULT": fault}, capture_output=True, text=True, timeout=120, check=False)

    def lines(self):
        return {(line["row"], line["agent"]): line for line in json.loads((self.out / "rows.json").read_text())["rows"]}

    @unittest.skipUnless((TOOLS / "straight-line").exists(), "the reference needs AVX2")
    def test_agents_take_turns_and_results_are_kept(self):
        done = self.bench("-n", "3", "--rows", "json,unparsed", "--agents", "sluice,straight-line")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        turns = [line.split(": ")[1] for line in done.stderr.splitlines()]
        self.assertEqual(turns, ["unparsed, sluice", "unparsed, straight-line", "json, sluice", "json, straight-line"] * 3)
        lines = self.lines()
        self.assertEqual([len(line["runs"]) for line in lines.values()], [3] * 4)
        self.assertEqual(lines["json", "sluice"]["faults"], {"lost": 0, "doubled": 0, "spoiled": 0})
        self.assertEqual(lines["json", "straight-line"]["limits"], {}, "limits are for the agent")
        self.assertGreater(lines["json", "sluice"]["median"]["cpu_s_per_gb"],
                           lines["json", "straight-line"]["median"]["cpu_s_per_gb"])
        text = (self.out / "rows.md").read_text()
        self.assertIn("fake sluice 1.0", text)
        self.assertIn("| json ", text)
        self.assertEqual(xml.fromstring((self.out / "rows.svg").read_text()).tag, "{http://www.w3.org/2000/svg}svg")
        self.assertTrue((self.out / "memory.svg").exists())
        self.assertFalse((self.out / "latency.svg").exists(), "no row has a latency")
        self.assertEqual([path.name for path in (self.folder / "work").iterdir() if path.is_dir()], [])

    def test_lost_doubled_and_spoiled_records_fail_the_benchmark(self):
        for fault, count in (("lose", "lost"), ("double", "doubled"), ("spoil", "spoiled")):
            done = self.bench("-n", "1", "--rows", "json", "--agents", "sluice", fault=fault)
            self.assertEqual(done.returncode, 1, fault)
            self.assertEqual(self.lines()["json", "sluice"]["faults"][count], 1)

    def test_an_agent_that_fails_is_shown_with_its_last_words(self):
        done = self.bench("-n", "2", "--rows", "json", "--agents", "sluice", fault="fail")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it was meant to fail", done.stdout)
        self.assertIn("exit code 1", self.lines()["json", "sluice"]["errors"][0])

    def test_secrets_that_get_through_fail_the_main_job(self):
        done = self.bench("-n", "1", "--rows", "main-job", "--agents", "sluice")
        self.assertEqual(done.returncode, 1)
        self.assertGreater(self.lines()["main-job", "sluice"]["secrets"], 1000)

    def test_a_paced_row_measures_latency_and_share_of_a_core(self):
        scenario = json.loads((BENCHMARKS / "scenarios" / "steady-json" / "row.json").read_text())
        self.assertEqual(scenario["steady"], {"rate": "10MB", "seconds": 20})
        done = self.bench("-n", "1", "--rows", "steady-json", "--agents", "sluice", "--steady-seconds", "2")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        middle = self.lines()["steady-json", "sluice"]["median"]
        self.assertTrue(0 < middle["cpu_percent"] < 100, middle)
        self.assertTrue(0 < middle["p50_ms"] <= middle["p99_ms"] <= middle["max_ms"], middle)
        self.assertEqual((middle["lost"], middle["doubled"]), (0, 0))

    def test_a_peer_is_stopped_when_all_has_come_or_nothing_comes(self):
        peers = self.peers()
        arguments = ("-n", "1", "--rows", "json", "--agents", "sluice,rsyslog", "--peers", peers)
        done = self.bench(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        line = self.lines()["json", "rsyslog"]
        self.assertEqual((line["faults"]["lost"], line["errors"]), (0, []))
        self.assertIn("- rsyslog: fake rsyslogd 1.0", (self.out / "rows.md").read_text())
        self.assertIn("times less", done.stdout)
        done = self.bench(*arguments[:4], "--agents", "rsyslog", *arguments[6:], "--stall", "1", fault="lose")
        self.assertEqual(self.lines()["json", "rsyslog"]["faults"]["lost"], 1)

    def test_what_an_agent_cannot_do_is_in_the_table(self):
        done = self.bench("-n", "1", "--rows", "main-job", "--agents", "rsyslog", "--peers", self.peers())
        self.assertIn("no way to replace what a pattern finds in a text", done.stdout)

    def test_a_backlog_is_filled_and_then_drained(self):
        done = self.bench("-n", "1", "--rows", "drain", "--agents", "sluice", "--backlog", "1MB")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertGreater(self.lines()["drain", "sluice"]["median"]["mb_per_s"], 0)
        done = self.bench("-n", "1", "--rows", "drain", "--agents", "sluice", "--backlog", "1MB", fault="double")
        self.assertEqual((done.returncode, self.lines()["drain", "sluice"]["faults"]["doubled"]), (1, 1))

    def test_an_agent_that_delivers_nowhere_is_asked(self):
        done = self.bench("-n", "1", "--rows", "workers-1,workers-2", "--agents", "sluice")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertIn("x workers-1 >= 1.7", done.stdout)
        done = self.bench("-n", "1", "--rows", "workers-1", "--agents", "sluice", fault="lose")
        self.assertEqual((done.returncode, self.lines()["workers-1", "sluice"]["faults"]["lost"]), (1, 1))

    def test_an_idle_agent_is_watched(self):
        done = self.bench("-n", "1", "--rows", "idle", "--agents", "sluice", "--idle-seconds", "1")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        middle = self.lines()["idle", "sluice"]["median"]
        self.assertTrue(5 < middle["resident_mb"] < 1.1 * middle["peak_mb"], middle)
        self.assertTrue(0 <= middle["cpu_percent"] < 50, middle)

    def test_an_agent_that_ends_while_it_is_paced_is_shown(self):
        done = self.bench("-n", "1", "--rows", "steady-json", "--agents", "sluice", "--steady-seconds", "1", fault="fail")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it was meant to fail", done.stdout)

    def test_micro_benchmarks_are_run_and_kept(self):
        tools = self.folder / "tools"
        tools.mkdir()
        for name, code in (("bench_one", 0), ("bench_two", 3)):
            (tools / name).write_text(f"#!/bin/sh\necho {name} 1.5 s/GB\nexit {code}\n")
            (tools / name).chmod(0o755)
        (tools / "bench_notes.txt").write_text("not a program")
        done = self.bench("micro", "--tools", str(tools))
        self.assertEqual(done.returncode, 1, "one of them failed")
        kept = (self.out / "micro.txt").read_text()
        self.assertIn("bench_one 1.5 s/GB\n\nbench_two 1.5 s/GB\n", kept)
        self.assertIn("processor: ", kept)
        self.assertNotIn("notes", kept)

    def test_what_is_missing_is_said(self):
        done = self.bench("--rows", "nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nonsense", done.stderr)
        done = self.bench("--agents", "sluic")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no agent sluic; agents: sluice", done.stderr)
        done = self.bench("--sluice", "/no/such/sluice")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/no/such/sluice", done.stderr)


if __name__ == "__main__":
    unittest.main()
