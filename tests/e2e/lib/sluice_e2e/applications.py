"""Programs that log through a real logger, tests/services/loggers/{winston,loguru}."""

import glob
import gzip
import os
import re
import subprocess
import zipfile

from .checks import find_secrets
from .services import SERVICES

LOGGERS = os.path.join(SERVICES, "loggers")
# One of these is in every secret that the programs plant: tokens and addresses, a JWT's claims, cards.
MARKS = (b"cnryq7", b"eyJzdWIiOiJjbnJ5", b"49290716", b"4929 0716", b"4929-0716")
NUMBER = re.compile(rb'"n": ?(\d+)')


class Application:
    """One run of a logger: Application("winston", folder, count=50000, app="crm"). The keyword
    arguments are the options of its write program."""

    def __init__(self, kind, folder, secrets_path, **options):
        self.kind = kind
        self.folder = folder
        self.secrets_path = secrets_path
        command = [os.path.join(LOGGERS, kind, "run"), folder, "--secrets", secrets_path]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    @staticmethod
    def install(kind):
        """None, or the reason why this machine can't run it."""
        done = subprocess.run([os.path.join(SERVICES, "packages"), kind], capture_output=True, text=True, check=False)
        if done.returncode == 77:
            return done.stderr.strip()
        assert done.returncode == 0, f"{kind} can't be installed: {done.stderr[-2000:]}"
        return None

    def is_done(self):
        code = self.process.poll()
        assert code in (None, 0), f"the {self.kind} program ended with {code}"
        return code == 0

    def numbers(self, pattern):
        """The numbers in the files that match, packed ones too: what the logger really wrote."""
        found = []
        for path in glob.glob(os.path.join(self.folder, pattern)):
            found += [int(number) for number in NUMBER.findall(read_unpacked(path))]
        return found

    def secrets(self):
        """The planted secrets; each carries one of MARKS."""
        with open(self.secrets_path, "rb") as source:
            secrets = source.read().split(b"\n")[:-1]
        unmarked = [secret for secret in secrets if not any(mark in secret for mark in MARKS)]
        assert secrets and not unmarked, f"of {len(secrets)} secrets, {len(unmarked)} carry no mark"
        return secrets

    def leaks(self, places):
        """Where secrets of this program stand in `places`, as find_secrets() tells it. Searches for the
        marks: there are too many secrets to search for each."""
        self.secrets()
        return find_secrets([mark.decode() for mark in MARKS], places)

    def clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def read_unpacked(path):
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            return b"".join(packed.read(name) for name in packed.namelist())
    opened = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
    with opened:
        return opened.read()
