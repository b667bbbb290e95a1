"""The profiles: what callgrind, perf and nm say is read right, and the parts add up."""

import subprocess
import sys
import unittest
from pathlib import Path

from bench_tools import BENCHMARKS, TOOLS

import bench_callgrind
import bench_perf
from bench_profile import format_times, is_part
from bench_rows import Row
from bench_symbols import folder_of, parse_homes

NM = """0000000000079fd0 t apply.lto_priv.0\t/x/build/../agent/../plugins/filters/edit/edit.c:151
000000000007dfb0 t apply.lto_priv.3\t/x/build/release/../../plugins/filters/redact/redact.c:190
0000000000028120 T sl_json_index\t/x/agent/record/json_index.c:35
0000000000028121 T _start\t/usr/lib/crt1.S:1
0000000000028122 T somewhere
"""
ANNOTATED = """--------------------------------------------------------------------------------
Ir            file:function
--------------------------------------------------------------------------------
1,000  PROGRAM TOTALS
  600 (60.0%)  /x/build/../agent/record/json_index.c:sl_json_index [/x/build/release/sluice]
  100  /x/agent/base/span.h:sl_json_index
  200  ???:0x000000000003a050 [/usr/lib/x86_64-linux-gnu/libzstd.so.1.5.4]
   60  /usr/lib/gcc/x86_64-linux-gnu/12/include/avx2intrin.h:sl_json_index
   40  /x/plugins/filters/redact/redact.c:apply.lto_priv.3 [/x/build/release/sluice]
"""
SAMPLES = """
\tffffffff821f64aa copy_user ([kernel.kallsyms])
\tffffffff815bba34 ksys_pread64 ([kernel.kallsyms])
\tffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
\t           20ca3 pread64 (/usr/lib/libc.so.6)

\tffffffff821f64aa clear_page ([kernel.kallsyms])
\tffffffff815bba34 exc_page_fault ([kernel.kallsyms])
\t           20ca3 sl_json_index (/x/sluice)

\tffffffff821f64aa finish_task_switch.isra.0 ([kernel.kallsyms])
\tffffffff815bba34 exit_to_user_mode_loop ([kernel.kallsyms])
\tffffffff821ef691 do_syscall_64 ([kernel.kallsyms])

\t           20ca3 sl_json_index+0x12 (/x/sluice)
\t           20ca4 apply.lto_priv.3 (/x/sluice)

\t           3bc67 [unknown] (/usr/lib/x86_64-linux-gnu/libzstd.so.1.5.4)
"""


class TestProfile(unittest.TestCase):
    def setUp(self):
        self.homes = parse_homes(NM)

    def test_functions_are_found_in_their_folders(self):
        self.assertEqual(self.homes, {"apply.lto_priv.0": "plugins/filters/edit", "sl_json_index": "agent/record",
                                      "apply.lto_priv.3": "plugins/filters/redact"})
        self.assertIsNone(folder_of("/usr/include/stdlib.h"))

    def test_instructions_by_folder_and_by_function(self):
        found = bench_callgrind.parse(ANNOTATED, self.homes)
        self.assertEqual(found.total, 1000)
        self.assertEqual(found.folders, {"agent/record": 600, "agent/base": 100, "libzstd": 200,
                                         "inlined from the compiler's headers": 60, "plugins/filters/redact": 40})
        self.assertEqual(found.functions, {"sl_json_index (agent/record)": 760, "apply (plugins/filters/redact)": 40})

    def test_samples_by_place(self):
        found = bench_perf.parse(SAMPLES, self.homes)
        self.assertEqual(found.places, {"kernel: pread64": 1, "kernel: page faults": 1, "agent/record": 1,
                                        "kernel: interrupts and switches": 1, "libzstd": 1})
        self.assertEqual(found.functions, {"sl_json_index (agent/record)": 1, "libzstd": 1})

    def test_parts_add_up_to_all(self):
        row = Row(name="x", folder=Path("/x"), title="x", order=1, parts_sum=1.5)
        text = format_times(bench_perf.parse(SAMPLES, self.homes), 10**9 * 5 // bench_perf.FREQUENCY, row)
        table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("\n\n")[2].splitlines()[2:]]
        self.assertEqual(table[-1], ["all", "1.00", "100%", "1.5"])
        self.assertAlmostEqual(sum(float(cells[1]) for cells in table[:-1]), 1.0)
        self.assertIn(["zstd, level 1", "0.20", "20.0%", "1.33"], table)
        self.assertTrue(is_part("agent/record", ("agent/record",)) and is_part("plugins/outputs/null", ("plugins/outputs",)))
        self.assertFalse(is_part("agent/records", ("agent/record",)))

    def test_rows_without_anything_to_profile_are_refused(self):
        for arguments in (["profile"], ["profile", "nonsense"], ["profile", "idle"]):
            done = subprocess.run([sys.executable, str(BENCHMARKS / "run"), *arguments, "--tools", str(TOOLS),
                                   "--sluice", sys.executable], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("run: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
