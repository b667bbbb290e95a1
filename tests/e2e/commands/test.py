"""check, plugins, schema: what they print and how they end; every example of conf/ passes, and fits the schema."""

import glob
import json
import os
import re
import subprocess

from sluice_e2e import run
from sluice_e2e.agent import find_binary

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
CONF = os.path.join(ROOT, "conf")
SECRET = "hunter2-hunter2-hunter2"
ENVIRONMENT = {**os.environ, "ES_API_KEY": SECRET, "REDACT_KEY": SECRET, "KAFKA_PASSWORD": SECRET}


def sluice(*arguments, **environment):
    done = subprocess.run([find_binary(), *arguments], env={**ENVIRONMENT, **environment}, capture_output=True, timeout=60)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    assert SECRET not in done.stdout + done.stderr, "a secret is printed"
    return done


def write(sc, text, name="sluice.yaml"):
    path = sc.path(name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def configurations():
    """The default, and each example: a file, or a folder of files."""
    found = [os.path.join(CONF, "sluice.yaml"), *sorted(glob.glob(os.path.join(CONF, "examples", "*")))]
    assert len(found) > 5, f"only {found}"
    return found


def every_example_is_good_and_drawn(sc):
    for path in configurations():
        done = sluice("check", "-c", path)
        assert done.returncode == 0, f"{path}: {done.stderr}"
        assert done.stderr == "", f"{path} gives warnings: {done.stderr}"
        assert done.stdout.startswith("pipeline ") and "─> " in done.stdout, done.stdout
        assert done.stdout.endswith("\nThe configuration is good.\n"), done.stdout


def every_example_fits_the_schema(sc):
    yaml, jsonschema = modules(sc)
    schema = json.loads(sluice("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in configurations():
        if os.path.isdir(path):
            continue  # one file of several is no whole configuration
        with open(path, encoding="utf-8") as text:
            errors = [error.message for error in validator.iter_errors(as_written(yaml, text))]
        assert not errors, f"{path}: {errors}"


def the_schema_refuses_what_check_refuses(sc):
    yaml, jsonschema = modules(sc)
    validator = jsonschema.Draft202012Validator(json.loads(sluice("schema").stdout))
    good = ["/a", "[/a, /b]", "{path: /a}", "{path: [/a], max_line: 2MiB}", "{path: /a, max_line: '${SIZE:-1MiB}'}"]
    bad = ["{pth: /a}", "{path: /a, max_line: huge}", "{path: /a, read_from: middle}", "{exclude: /a}", "{path: /a, include_file: 5}", "{path: {a: b}}"]
    for tail in good + bad:
        text = "pipelines: {main: {inputs: {tail: %s}, outputs: {stdout: {}}}}" % tail
        fits = validator.is_valid(as_written(yaml, text))
        done = sluice("check", "-c", write(sc, text))
        assert fits == (done.returncode == 0) == (tail in good), f"{tail}: schema {fits}, check {done.returncode} {done.stderr}"


def modules(sc):
    try:
        import jsonschema
        import yaml
    except ImportError as err:
        sc.skip(f"{err.name} is missing: install python3-jsonschema and python3-yaml")
    return yaml, jsonschema


def as_written(yaml, text):
    """As sluice reads it: `off` and `yes` are text, dates are text."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
    return yaml.load(text, Loader)


def errors_end_with_2_and_go_to_stderr(sc):
    path = write(sc, "pipelines:\n  main:\n    inputs: {tail: {pth: /a}}\n    outputs: {stdout: {}}\n")
    done = sluice("check", "-c", path)
    assert done.returncode == 2 and done.stdout == "", done
    assert f"{path}:3:21: error: `pth` is not an option of input `tail`\n" in done.stderr, done.stderr
    assert "  hint: did you mean `path`?\n" in done.stderr, done.stderr
    again = sluice("run", "-c", path)
    assert again.returncode == 2 and again.stderr == done.stderr, again
    assert sluice("check", "-c", "/no/such.yaml").returncode == 2
    assert sluice("check").returncode == 2
    assert sluice("check", "-c", path, "more").returncode == 2


def warnings_end_with_0(sc):
    text = "inputs: {unused: {tail: /a}}\npipelines: {main: {inputs: {tail: /a}, outputs: {stdout: {}}}}\n"
    done = sluice("check", "-c", write(sc, text))
    assert done.returncode == 0 and "warning: input `unused` is defined but no pipeline uses it" in done.stderr, done


def files_add_up(sc):
    first = write(sc, "pipelines: {a: {inputs: {tail: /a}, outputs: {stdout: {}}}}", "a.yaml")
    second = write(sc, "pipelines: {b: {inputs: {tail: /a}, outputs: {stdout: {}}}}", "b.yaml")
    done = sluice("check", "-c", first, "-c", second)
    assert done.returncode == 0 and "pipeline a\n" in done.stdout and "pipeline b\n" in done.stdout, done
    done = sluice("check", "-c", first, "-c", write(sc, "pipelines: {a: {}}", "c.yaml"))
    assert done.returncode == 2 and f"`a` in `pipelines` is already defined at {first}:1:13" in done.stderr, done


def connect_tries_each_output_once_and_leaves_nothing(sc):
    receiver, folder = sc.receiver(), sc.path("made", "later")
    outputs = {"good": {"elasticsearch": {"url": [receiver.url]}}, "files": {"file": f"{folder}/app.log"}, "screen": {"stdout": {}}}
    config = {"service": {"data_dir": sc.path("data"), "http": "off"}, "outputs": outputs,
              "pipelines": {"p": {"inputs": {"tail": "/a"}, "outputs": list(outputs)},
                            "q": {"inputs": {"tail": "/a"}, "outputs": ["good", "screen"]}}}  # fmt: skip
    path = write(sc, json.dumps(config))
    done = sluice("check", "-c", path, "--connect")
    assert done.returncode == 0, done
    assert done.stdout.endswith("\ngood: could deliver\nfiles: could deliver\nscreen: nothing to connect to\n"), done.stdout
    assert not os.path.exists(sc.path("made")) and not os.path.exists(sc.path("data")), "it has left something"
    assert receiver.count() == 0

    outputs["good"]["elasticsearch"]["url"].append("http://127.0.0.1:9")
    with open(sc.path("made"), "w", encoding="ascii"):
        pass  # no folder can be there
    done = sluice("check", "-c", write(sc, json.dumps(config)), "--connect")
    assert done.returncode == 1, done
    assert "\ngood: 1 of 2 addresses let us in: cannot connect to http://127.0.0.1:9" in done.stdout, done.stdout
    assert f"\nfiles: cannot open {folder}/app.log for writing" in done.stdout, done.stdout
    assert sluice("check", "-c", path).returncode == 0, "without --connect nothing is asked"


def plugins_are_listed_and_described(sc):
    done = sluice("plugins")
    assert done.returncode == 0
    listed = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["input", "tail"] in listed and ["output", "elasticsearch"] in listed, listed
    for kind, name in listed:
        one = sluice("plugins", name)
        assert one.returncode == 0 and f"{kind} {name}: " in one.stdout, one
    assert "  max_line  size, 256B to 256MiB, default 1MiB\n" in sluice("plugins", "tail").stdout
    wrong = sluice("plugins", "tial")
    assert wrong.returncode == 2 and "did you mean `tail`?" in wrong.stderr, wrong


def a_full_pipe_is_an_error(sc):
    with open("/dev/full", "w", encoding="ascii") as full:
        data_dir = empty_data_dir(sc)
        looks = (["journal", "ls"], ["state"], ["deadletter", "show"])
        for command in (["schema"], ["plugins"], ["version"], ["help"], ["check", "-c", os.path.join(CONF, "sluice.yaml")],
                        *([*look, "--data-dir", data_dir] for look in looks)):  # fmt: skip
            done = subprocess.run([find_binary(), *command], env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, timeout=60)
            assert done.returncode == 1 and b"cannot write to standard output" in done.stderr, done


def empty_data_dir(sc):
    """Of an agent that has run, and dead-lettered one of two lines."""
    with open(sc.path("in.log"), "w", encoding="ascii") as log:
        log.write('{"n": 1}\nno json\n')
    text = (
        "service: {data_dir: %s, http: off}\n"
        "pipelines: {p: {inputs: {tail: %s}, filters: [{parse: {on_error: dead_letter}}], outputs: {'null': {}}}}\n"
    )
    done = sluice("run", "--once", "-c", write(sc, text % (sc.path("data"), sc.path("in.log"))))
    assert done.returncode == 1 and "dead-lettered 1" in done.stderr, done
    return sc.path("data")


def help_is_no_error_and_what_is_unknown_is(sc):
    for command in ("run", "check", "plugins", "schema", "journal", "deadletter", "state", "version", "journal ls", "deadletter show"):
        done = sluice(*command.split(), "--help")
        assert done.returncode == 0 and done.stdout.startswith("usage: sluice ") and done.stderr == "", (command, done)
        done = sluice(*command.split(), "--bogus")
        assert done.returncode == 2 and "usage: sluice " in done.stderr and done.stdout == "", (command, done)
    data_dir = empty_data_dir(sc)
    for command in (["journal", "ls"], ["journal", "cat"], ["journal", "verify"], ["state"]):
        assert sluice(*command, "--data-dir", data_dir).returncode == 0
        assert sluice(*command, "--data-dir", data_dir, "p").returncode == 2, command


def dead_letters_are_looked_for_where_an_agent_was(sc):
    data_dir = empty_data_dir(sc)
    os.mkdir(sc.path("elsewhere"))
    for verb in ("ls", "show", "replay"):
        assert sluice("deadletter", verb, "--data-dir", data_dir).returncode == 0
        assert sluice("deadletter", verb, "--data-dir", data_dir, "p").returncode == 0
        for arguments in (["/no/such"], ["/dev/null"], [sc.path("elsewhere")], [data_dir, "q"], [data_dir, "p", "q"]):
            done = sluice("deadletter", verb, "--data-dir", *arguments)
            assert done.returncode == 1 and done.stdout == "" and arguments[-1] in done.stderr, (verb, done)


def a_journal_that_cannot_be_read_whole_is_no_success(sc):
    with open(sc.path("in.log"), "w", encoding="ascii") as log:
        log.writelines("line %d\n" % n for n in range(100))
    text = (
        "service: {data_dir: %s, http: off, shutdown_timeout: 0s}\n"
        "pipelines: {p: {inputs: {tail: %s}, outputs: {elasticsearch: 'http://127.0.0.1:1'}}}\n"
    )
    path = write(sc, text % (sc.path("data"), sc.path("in.log")))
    subprocess.run(["timeout", "2", find_binary(), "run", "--once", "-c", path], capture_output=True, timeout=60, check=False)
    good = sluice("journal", "cat", "-c", path)
    assert good.returncode == 0 and good.stdout.count("\n") == 100, good
    (segment,) = glob.glob(sc.path("data/journal/p/*.seg"))
    with open(segment, "r+b") as file:
        file.seek(200)
        byte = file.read(1)
        file.seek(200)
        file.write(bytes([byte[0] ^ 1]))
    for verb in ("cat", "verify"):
        bad = sluice("journal", verb, "-c", path)
        assert bad.returncode == 1 and segment in bad.stderr, bad


run(
    every_example_is_good_and_drawn,
    every_example_fits_the_schema,
    the_schema_refuses_what_check_refuses,
    errors_end_with_2_and_go_to_stderr,
    warnings_end_with_0,
    files_add_up,
    connect_tries_each_output_once_and_leaves_nothing,
    plugins_are_listed_and_described,
    a_full_pipe_is_an_error,
    help_is_no_error_and_what_is_unknown_is,
    dead_letters_are_looked_for_where_an_agent_was,
    a_journal_that_cannot_be_read_whole_is_no_success,
)
