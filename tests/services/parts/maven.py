"""Servers that run on Java: where Java is, and what Maven has fetched, once, into a cache that all tests share."""

import fcntl
import os
import re
import shutil
import subprocess

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
JAVA_WANTED = 17
SKIP = 77  # exit code: a tool that this machine lacks


class ServiceError(Exception):
    """What failed, where, and what to do."""

    code = 1


class Missing(ServiceError):
    """A tool is not installed here."""

    code = SKIP


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "sluice")


def find_java():
    """JAVA_HOME of a Java that is new enough."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if not java or not os.path.exists(java):
        raise Missing("java is not installed; install openjdk-17-jre-headless")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if not found or int(found.group(1)) < JAVA_WANTED:
        raise Missing(f"{java} is older than {JAVA_WANTED}; install openjdk-17-jre-headless")
    return os.path.dirname(os.path.dirname(os.path.realpath(java)))


def run_goal(goal, what, *options):
    """Runs a goal of the dependency plugin, which has `what` in its messages."""
    if not shutil.which("mvn"):
        raise Missing("mvn is not installed; install maven")
    done = subprocess.run(["mvn", "-B", "-q", "-ntp", f"{DEPENDENCY_PLUGIN}:{goal}", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line)[:2000]
        raise ServiceError(f"maven can't get {what}; is its registry within reach?\n{said}")


def fetch(name, version, fill):
    """The folder NAME-VERSION in the cache.  Unless it is there, fill(work) makes it below the folder `work` and
    returns its path.  Safe to run twice at once."""
    cache = cache_dir()
    home = os.path.join(cache, f"{name}-{version}")
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, f".{name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(home):
            return home
        work = os.path.join(cache, f".{name}-{version}.part")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        os.rename(fill(work), home)
        shutil.rmtree(work)
    return home
