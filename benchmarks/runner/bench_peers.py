"""The agents that sluice is measured beside: rsyslog and syslog-ng of Debian's packages, unpacked and run from a folder
of their own. How they are configured, and why so, is in benchmarks/README.md."""

from pathlib import Path

from bench_machine import first_line
from bench_packages import unpack_packages
from bench_rows import fill_template


class Peer:
    """A program that follows its input until it is stopped, and is configured by one file."""

    has_limits = False
    ends = False
    name = packages = template = program = version_option = None  # of each peer

    def __init__(self, folder):
        self.folder = Path(folder) / self.name
        self.root = self.folder / "root"
        self.binary = self.root / self.program

    def prepare(self):
        unpack_packages(self.packages, self.folder)

    def can_do(self, row):
        return row.template(self.template).exists()

    def command(self, row, place):
        config = place.folder / self.template.removesuffix(".in")
        config.write_text(fill_template(row.template(self.template).read_text(), {**row.settings, **place.values()}))
        (place.folder / "data").mkdir()
        return [*self.start(), *self.arguments(config, place.folder / "data")]

    def start(self):
        """The beginning of every command: the program, with its own libraries."""
        libraries = ":".join(sorted({str(library.parent) for library in self.root.rglob("*.so.*")}))
        return ["env", f"LD_LIBRARY_PATH={libraries}", str(self.binary)]

    def version(self):
        return first_line([*self.start(), self.version_option])

    def modules(self, name):
        """The folder of the peer's plugins, one of which is `name`."""
        return next(self.root.rglob(name)).parent

    def arguments(self, config, data):
        raise NotImplementedError


class Rsyslog(Peer):
    name = "rsyslog"
    packages = ("rsyslog", "rsyslog-elasticsearch")
    template = "rsyslog.conf.in"
    program = "usr/sbin/rsyslogd"
    version_option = "-v"

    def arguments(self, config, data):
        return ["-n", "-f", str(config), "-i", str(data / "pid"), "-M", str(self.modules("imfile.so"))]


class SyslogNg(Peer):
    name = "syslog-ng"
    packages = ("syslog-ng-core", "syslog-ng-mod-http", "syslog-ng-scl")
    template = "syslog-ng.conf.in"
    program = "usr/sbin/syslog-ng"
    version_option = "--version"

    def arguments(self, config, data):
        return ["-F", "--no-caps", "-f", str(config), "-p", str(data / "pid"), "-c", str(data / "control"),
                "-R", str(data / "persist"), f"--module-path={self.modules('libhttp.so')}"]
