"""A network that a test can cut: a namespace for the agent, with one link to the machine.

  outside   the machine's end, where receivers listen    inside   the agent's end
  hosts     what names mean inside; there is no name server: other names can't be resolved

Needs root and the `ip` command. The namespace, the link and /etc/netns/NAME are the test's own and are removed at its end.
"""

import os
import shutil
import subprocess

NETWORK = "198.18.7"  # RFC 2544: for benchmarks, used by nobody else
ETC = "/etc/netns"  # `ip netns exec` binds what lies in ETC/NAME over /etc


class NoNetwork(Exception):
    """This machine does not let us make one; the reason."""


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNetwork(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Network:
    def __init__(self):
        if os.geteuid() != 0:
            raise NoNetwork("network namespaces need root")
        self.name = f"sluice-{os.getpid()}"
        self._link = f"slv{os.getpid()}"
        self.outside, self.moved, self.inside = f"{NETWORK}.1", f"{NETWORK}.2", f"{NETWORK}.10"
        self.etc = os.path.join(ETC, self.name)
        self._had_etc = os.path.exists(ETC)
        os.makedirs(self.etc)
        try:
            self._make()
        except (NoNetwork, FileNotFoundError) as err:
            self.clean_up()
            raise NoNetwork(str(err)) from err

    def _make(self):
        self.hosts()
        with open(os.path.join(self.etc, "resolv.conf"), "w", encoding="ascii") as out:
            out.write(f"nameserver {self.outside}\noptions timeout:1 attempts:1\n")
        ip("netns", "add", self.name)
        ip("link", "add", self._link, "type", "veth", "peer", "name", "up0", "netns", self.name)
        for address in (self.outside, self.moved):
            ip("addr", "add", f"{address}/24", "dev", self._link)
        ip("link", "set", self._link, "up")
        ip("-n", self.name, "addr", "add", f"{self.inside}/24", "dev", "up0")
        ip("-n", self.name, "link", "set", "up0", "up")
        ip("-n", self.name, "link", "set", "lo", "up")

    def hosts(self, **names):
        """What names mean inside from now on: hosts(es="198.18.7.1") makes es.test known. Written in place: the file is bound."""
        with open(os.path.join(self.etc, "hosts"), "w", encoding="ascii") as out:
            out.writelines(f"{address} {name}.test\n" for name, address in names.items())

    def command(self, command):
        return ["ip", "netns", "exec", self.name, *command]

    def unplug(self):
        """The link is down, and both ends know."""
        ip("link", "set", self._link, "down")

    def plug(self):
        ip("link", "set", self._link, "up")

    def swallow(self):
        """What is sent to the outside vanishes, and nobody is told."""
        ip("addr", "del", f"{self.outside}/24", "dev", self._link)

    def answer(self):
        ip("addr", "add", f"{self.outside}/24", "dev", self._link)

    def clean_up(self):
        for arguments in (("netns", "del", self.name), ("link", "del", self._link)):
            subprocess.run(["ip", *arguments], capture_output=True, check=False)  # what was not made is not there
        shutil.rmtree(self.etc if self._had_etc else ETC)
