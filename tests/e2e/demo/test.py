"""What ./dev demo shows is true: everything delivered, no secret with it, in a file and in OpenSearch."""

import os
import subprocess
import sys

from sluice_e2e import run
from sluice_e2e.agent import find_binary

DEMO = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "packaging", "demo", "demo.py"))


def demo(sc, *arguments):
    sc.need("node", "nodejs")
    if arguments:
        sc.need("java", "openjdk-17-jre-headless")
        sc.need("mvn", "maven")
    environment = {**os.environ, "SLUICE_BIN": find_binary(), "TMPDIR": sc.dir}
    done = subprocess.run([sys.executable, DEMO, *arguments], env=environment, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"the demo ended with {done.returncode}"
    assert "6000 records, 6000 different ones; planted secrets in them: 0" in done.stdout


def into_a_file(sc):
    demo(sc)


def into_a_real_search_server(sc):
    demo(sc, "elasticsearch")


run(into_a_file, into_a_real_search_server)
