"""A real search server, OpenSearch or Elasticsearch, fetched through Maven and run on loopback.

The server is the project's own "integ-test-zip": the whole server with its transport module and no
other plugin.  It is unpacked once into the cache and shared; configuration, data and logs of each
running node are in a state directory of its own, so that several can run at the same time and one can
be started again with the same data and port.

Both servers refuse to run as root.  When started by root, the node runs as `nobody`, and keeps
CAP_DAC_OVERRIDE where it can, because the cache and the state directory may lie below a directory
that only root may enter.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass

from .daemon import Daemon, free_port
from .maven import Missing, ServiceError, fetch, find_java, run_goal

START_SECONDS = 180
NOBODY = 65534
HEAVY_JVM_OPTIONS = r"UseG1GC|G1ReservePercent|InitiatingHeapOccupancy|Xlog:gc|HeapDump"  # ours are in Node._environment


@dataclass(frozen=True)
class Product:
    name: str
    group: str
    version: str
    prefix: str  # of its environment variables
    settings: dict  # that only this product knows

    def artifact(self, version):
        return f"{self.group}:{self.name}:{version}:zip"


OPENSEARCH = Product("opensearch", "org.opensearch.distribution.integ-test-zip", "2.19.4", "OPENSEARCH", {})
ELASTICSEARCH = Product(
    "elasticsearch", "org.elasticsearch.distribution.integ-test-zip", "8.19.8", "ES", {"xpack.security.enabled": "false"}
)


# -- the distribution --------------------------------------------------------------------------------


def download(product, version, folder):
    artifact = product.artifact(version)
    run_goal("copy", artifact, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true")
    return os.path.join(folder, f"{product.name}-{version}.zip")


def unpack(archive, target):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
    (home,) = os.listdir(target)
    home = os.path.join(target, home)
    for script in os.listdir(os.path.join(home, "bin")):
        os.chmod(os.path.join(home, "bin", script), 0o755)
    return home


def fetch_server(product, version):
    """The unpacked server's folder."""
    return fetch(product.name, version, lambda work: unpack(download(product, version, work), os.path.join(work, "unpacked")))


# -- one node ----------------------------------------------------------------------------------------


class Node(Daemon):
    """A node whose files are in `state`: state.json, config/, data/, logs/, tmp/, out."""

    def __init__(self, product, state):
        super().__init__(product.name, state)
        self.product = product

    def url(self):
        port = self.load().get("port")
        if not port:
            raise ServiceError(f"no node was ever started in {self.state}")
        return f"http://127.0.0.1:{port}"

    def start(self, version=None, port=None, data=None, heap="512m", settings=()):
        """Starts the node and waits until it answers.  Without `port` and `data`: those of the last
        start in this state directory, else a free port and data/ below it."""
        if self.is_running():
            raise ServiceError(f"a node is already running in {self.state}; stop it first")
        last = self.load()
        port = port or last.get("port") or free_port()
        data = os.path.abspath(data or last.get("data") or os.path.join(self.state, "data"))
        version = version or last.get("version") or self.product.version
        java, home = find_java(), fetch_server(self.product, version)
        self._configure(home, port, data, settings)
        begun = time.monotonic()
        process = self.spawn(self._command(home), self._environment(java, heap), home, port=port, data=data, version=version)
        self.await_answer(process, self._answers, START_SECONDS)
        return time.monotonic() - begun

    def _configure(self, home, port, data, settings):
        config = os.path.join(self.state, "config")
        for folder in (config, data, os.path.join(self.state, "logs"), os.path.join(self.state, "tmp")):
            os.makedirs(folder, exist_ok=True)
        for name in os.listdir(os.path.join(home, "config")):
            source = os.path.join(home, "config", name)
            if os.path.isfile(source):
                shutil.copy(source, config)
        drop_lines(os.path.join(config, "jvm.options"), HEAVY_JVM_OPTIONS)
        values = {
            "cluster.name": "sluice-test", "node.name": "node", "network.host": "127.0.0.1", "http.port": port,
            "transport.port": free_port(), "discovery.type": "single-node", "path.data": data,
            "path.logs": os.path.join(self.state, "logs"), "cluster.routing.allocation.disk.threshold_enabled": "false",
            **self.product.settings, **dict(pair.split("=", 1) for pair in settings),
        }  # fmt: skip
        with open(os.path.join(config, f"{self.product.name}.yml"), "w", encoding="utf-8") as out:
            out.writelines(f"{name}: {json.dumps(value)}\n" for name, value in values.items())
        if os.geteuid() == 0:
            give_to_nobody(self.state)
            give_to_nobody(data)

    def _command(self, home):
        command = [os.path.join(home, "bin", self.product.name)]
        return unprivileged() + command if os.geteuid() == 0 else command

    def _environment(self, java, heap):
        prefix = self.product.prefix
        options = f"-Xms{heap} -Xmx{heap} -XX:+UseSerialGC -XX:-UsePerfData -XX:TieredStopAtLevel=1"
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.state, "LANG": "C.UTF-8",
            f"{prefix}_JAVA_HOME": java, f"{prefix}_PATH_CONF": os.path.join(self.state, "config"),
            f"{prefix}_JAVA_OPTS": options, f"{prefix}_TMPDIR": os.path.join(self.state, "tmp"),
            **{name: value for name, value in os.environ.items() if name.startswith("SLUICE_TEST_")},
        }  # fmt: skip

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url()}/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def drop_lines(path, pattern):
    with open(path, encoding="utf-8") as source:
        kept = [line for line in source if not re.search(pattern, line)]
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(kept)


def give_to_nobody(folder):
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            os.chown(os.path.join(root, name), NOBODY, NOBODY, follow_symlinks=False)
    os.chown(folder, NOBODY, NOBODY)


def unprivileged():
    """The prefix that runs a command as nobody."""
    if not shutil.which("setpriv"):
        raise Missing("setpriv is not installed; install util-linux")
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # access(2) heeds capabilities of a user other than root only with no_setuid_fixup
    capable = [*prefix, "--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    can = subprocess.run([*capable, "true"], capture_output=True, check=False).returncode == 0
    return capable if can else prefix


# -- the command -------------------------------------------------------------------------------------


def main(product, arguments):
    import argparse

    parser = argparse.ArgumentParser(prog=product.name, description=f"Runs a real {product.name} node for tests.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("fetch", help="download into the cache; prints the folder")
    verb.add_argument("--version", default=product.version)
    verb = verbs.add_parser("start", help="start, wait until it answers, print the URL")
    verb.add_argument("state", help="directory of this node's files")
    verb.add_argument("--version")
    verb.add_argument("--port", type=int, help="default: the last one used in this state directory, or a free one")
    verb.add_argument("--data", help="default: data/ in the state directory")
    verb.add_argument("--heap", default="512m")
    verb.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="into the server's own configuration")
    for name, help_text in (("stop", "SIGTERM, and wait"), ("kill", "SIGKILL, and wait"), ("url", "print the URL"),
                            ("log", "print where its output is"), ("running", "exit 0 if it runs")):  # fmt: skip
        verbs.add_parser(name, help=help_text).add_argument("state")
    args = parser.parse_args(arguments)
    try:
        return run_verb(product, args)
    except ServiceError as err:
        print(f"{product.name}: {err}", file=sys.stderr)
        return err.code


def run_verb(product, args):
    if args.verb == "fetch":
        print(fetch_server(product, args.version))
        return 0
    node = Node(product, args.state)
    if args.verb == "running":
        return 0 if node.is_running() else 1
    if args.verb == "start":
        os.makedirs(node.state, exist_ok=True)
        node.start(args.version, args.port, args.data, args.heap, args.setting)
    elif args.verb in ("stop", "kill"):
        getattr(node, args.verb)()
        return 0
    print(node.log_path() if args.verb == "log" else node.url())
    return 0
