"""Debian packages of the peers, unpacked beside the system: they conflict with each other, and nothing of them is to
run but what is measured. What they need and the system has not is unpacked with them."""

import shutil
import subprocess


def unpack_packages(names, folder):
    """Downloads and unpacks the packages and what is missing of their dependencies into `folder`, once."""
    if folder.exists():
        return
    beside = folder.with_suffix(".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    run(["apt-get", "download", *sorted({*names, *missing_dependencies(names)})], beside)
    for package in sorted(beside.glob("*.deb")):
        run(["dpkg", "-x", str(package), "root"], beside)
        package.unlink()
    beside.rename(folder)


def missing_dependencies(names):
    """What apt-get would install for these packages, by its own simulation."""
    said = run(["apt-get", "install", "--simulate", "--no-install-recommends", *names], None)
    return [line.split()[1] for line in said.splitlines() if line.startswith("Inst ")]


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"{' '.join(command)} failed; is `apt-get update` needed? {done.stderr.strip()}")
    return done.stdout
