"""A plugin built outside the tree, from the installed headers alone, through find_package and through pkg-config."""

import json
import os
import pathlib
import shutil
import subprocess

from sluice_e2e import run
from sluice_e2e.agent import find_binary

ROOT = pathlib.Path(__file__).resolve().parents[3]


def call(sc, *command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def installed(sc):
    """The agent and its headers in a folder of their own; the plugin's source far from the tree."""
    prefix = pathlib.Path(sc.path("prefix"))
    call(sc, "cmake", "--install", pathlib.Path(find_binary()).parent, "--prefix", prefix)
    source = pathlib.Path(sc.path("source"))
    shutil.copytree(ROOT / "plugins" / "skeleton", source)
    return prefix, source


def use(sc, prefix, plugin):
    tally = sc.path("tally")
    config = {
        "service": {"data_dir": sc.path("data"), "http": "off", "plugins": [str(plugin)]},
        "pipelines": {
            "p": {"inputs": [{"ticker": {"lines": 3}}], "filters": [{"stamp": {"field": "seen.by", "value": "me"}}], "outputs": [{"tally": {"path": tally}}]}
        },
    }
    path = sc.path("sluice.yaml")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(config, out)
    call(sc, prefix / "bin" / "sluice", "run", "-c", path, "--once")
    with open(tally, encoding="utf-8") as file:
        count, record = file.read().split(" ", 1)
    record = json.loads(record)
    assert count == "3", count
    assert record["message"] == "a line of the ticker" and record["seen"] == {"by": "me"}, record


def through_find_package(sc):
    prefix, source = installed(sc)
    build = sc.path("build")
    call(sc, "cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    call(sc, "cmake", "--build", build)
    use(sc, prefix, os.path.join(build, "skeleton.so"))


def through_pkg_config(sc):
    prefix, source = installed(sc)
    folders = {str(path.parent) for path in prefix.rglob("sluice.pc")}
    assert folders, "no sluice.pc is installed"
    flags = call(sc, "pkg-config", "--cflags", "sluice", env={**os.environ, "PKG_CONFIG_PATH": ":".join(folders)}).split()
    plugin = sc.path("skeleton.so")
    call(sc, "cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", *flags, source / "skeleton.c", "-o", plugin)
    use(sc, prefix, plugin)


def with_another_abi_is_refused(sc):
    prefix, source = installed(sc)
    text = (source / "skeleton.c").read_text()
    (source / "skeleton.c").write_text(text.replace(".abi = SL_ABI_VERSION", ".abi = SL_ABI_VERSION + 1"))
    plugin = sc.path("skeleton.so")
    call(sc, "cc", "-shared", "-fPIC", "-D_GNU_SOURCE", f"-I{prefix / 'include'}", source / "skeleton.c", "-o", plugin)
    config = sc.path("sluice.yaml")
    with open(config, "w", encoding="utf-8") as out:
        out.write(f"service: {{plugins: [{plugin}]}}\npipelines: {{p: {{inputs: [ticker: {{}}], outputs: [stdout: {{}}]}}}}\n")
    done = subprocess.run([prefix / "bin" / "sluice", "check", "-c", config], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    assert "ABI" in done.stderr and "rebuild" in done.stderr, done.stderr


def what_belongs_to_the_agent_is_installed_with_it(sc):
    prefix, _ = installed(sc)
    templates = sorted(path.name for path in (prefix / "share/sluice/elasticsearch").glob("*.json"))
    assert templates == ["ilm-policy.json", "index-template-opensearch.json", "index-template.json", "ism-policy.json"], templates
    assert (prefix / "share/doc/sluice/sluice.yaml").exists()
    unit = prefix / "lib/systemd/system/sluice.service"
    assert "ExecStart=sluice run " in unit.read_text(encoding="utf-8"), "the unit must find the program under any prefix"


run(through_find_package, through_pkg_config, with_another_abi_is_refused, what_belongs_to_the_agent_is_installed_with_it)
