from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

import pytest

from runner.cli.arguments import parser
from tests.command import call, environment, spawn
from tests.kit import write_manifest

COMMANDS = (
    "init",
    "validate",
    "plan",
    "run",
    "status",
    "index",
    "verify",
    "models",
    "requests",
    "sandbox",
    "doctor",
    "explain",
    "schema",
    "completion",
    "help",
)
HEAVY = (
    "yaml",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "requests",
    "PIL",
    "av",
    "sqlite3",
    "dataclasses",
    "tqdm",
    "starlette",
    "uvicorn",
    "shtab",
)


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys\nfrom runner.cli.main import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment(), capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "argparse" in loaded
    assert loaded & set(HEAVY) == set()
    ours = {name for name in done.stderr.split() if name.startswith("runner")}
    assert ours == {"runner", "runner.cli", "runner.cli.arguments", "runner.cli.main", "runner.version"}


def test_importing_the_package_costs_nothing():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, runner; print(*sys.modules)"],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {name.split(".")[0] for name in done.stdout.split()} & set(HEAVY) == set()


def test_the_module_is_the_command():
    assert spawn("--help").out == call("--help").out


def test_help_names_every_command():
    help_text = call("--help").out
    assert all(f"\n    {name} " in help_text for name in COMMANDS)
    assert "reelrun init demo" in help_text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_flag(command):
    ended = call(command, "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"usage: reelrun {command}")
    subparser = parser()._subparsers._group_actions[0].choices[command]  # type: ignore[union-attr,index]
    assert all(action.help for action in subparser._actions)


@pytest.mark.parametrize(
    "flag",
    [
        *("--sandbox", "--base-url", "--dry-run", "--only", "--retry-failed", "--resubmit-unknown", "--concurrency"),
        *("--max-jobs", "--max-cost", "--yes", "--no-progress", "--json", "--output"),
    ],
)
def test_run_has_the_flags_of_its_contract(flag):
    assert f"{flag} " in call("run", "--help").out.replace("]", " ")


def test_no_words_show_the_help():
    ended = call()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage: reelrun")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runn", "x.yaml"], "there is no command 'runn'"),
        (["xyzzy"], "there is no command 'xyzzy'"),
        (["requests"], "the following arguments are required: MODEL"),
        (["validate", "x.yaml", "--format", "yaml"], "invalid choice: 'yaml'"),
        (["plan", "x.yaml", "--josn"], "plan has no flag --josn\n  help: did you mean --json? reelrun plan"),
        (["run", "x.yaml", "--concurrency", "many"], "'many' is no whole number from 1 to 10,000"),
        (["run", "x.yaml", "--concurrency", "0"], "'0' is no whole number from 1 to 10,000"),
        (["run", "x.yaml", "--max-jobs", "-1"], "'-1' is no whole number from 1 to 5,000,000"),
        (["run", "x.yaml", "--sandbox-failure-rate", "2"], "'2' is no number from 0 to 1"),
        (["run", "x.yaml", "--sandbox-seconds", "nan"], "'nan' is no number from 0 to 3,600"),
        (["sandbox", "--port", "99999"], "'99999' is no whole number from 0 to 65,535"),
        (["plan", "x.yaml", "--first", "3"], "plan has no flag --first: it is one of run\n  help: reelrun plan"),
        (["plan", "x.yaml", "y.yaml"], "plan takes no further argument 'y.yaml'"),
        (["run", "x.yaml", "--sandbox-height", "5"], "'5' is no whole number from 64 to 720"),
        (["run", "x.yaml", "--max", "5"], "run has no flag --max\n  help: did you mean --max-jobs? reelrun run"),
    ],
)
def test_wrong_words_are_told(words, said):
    ended = call(*words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "--help tells more" in ended.err


def test_wrong_words_are_a_document_with_json():
    ended = call("run", "x.yaml", "--json", "--concurrency", "0")
    assert ended.code == 2
    assert set(ended.document["error"]) == {"code", "message", "hint"}
    assert ended.document["error"]["code"] == "usage"


@pytest.mark.parametrize("words", [["--format", "json"], ["--format=json"], ["--json"]])
def test_wrong_words_are_a_document_with_the_format_json(words):
    assert call("validate", "--nope", *words).document["error"]["code"] == "usage"
    assert call("validate", "--nope", "json", "--format", "sarif").out == ""


@pytest.mark.parametrize(
    "words",
    [["--json", "--format", "sarif"], ["--format", "text", "--json"], ["--format", "github", "--format", "sarif"]],
)
def test_two_formats_are_one_too_many(words):
    ended = call("validate", "x.yaml", *words)
    assert ended.code == 2
    assert re.search(r"--format is both \w+ and \w+; leave one of them out", ended.err)


def test_one_format_may_be_said_twice(tmp_path):
    path = write_manifest(tmp_path)
    assert call("validate", path, "--json", "--format", "json").document["diagnostics"] == []


def test_flags_are_not_guessed_from_their_beginning():
    """A flag that costs money must not be reached by a slip."""
    assert call("run", "x.yaml", "--resubmit").code == 2


def test_version():
    assert call("--version").out == f"reelrun {metadata.version('reelrun')}\n"


def test_a_terminal_without_unicode_shows_escapes(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "größe", "text": "Wörter 😀"}])
    ended = spawn("plan", path, PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    assert ended.code == 0
    assert "test \\xb7 Kling" in ended.out
    document = spawn("plan", path, "--json", PYTHONUTF8="0", PYTHONIOENCODING="ascii").out
    assert json.loads(document)["jobs"][0]["payload"]["prompt"] == "Wörter 😀"


def test_closed_streams_are_no_trouble(tmp_path):
    path = write_manifest(tmp_path)
    assert spawn("plan", path, shell=">&-") == spawn("plan", path, shell=">/dev/null")
    assert spawn("plan", tmp_path / "none.yaml", shell="2>&-").code == 2


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("2m", 120), ("1h30m", 5400), ("45", 45), ("0.5", 0.5)])
def test_patience_is_written_as_a_duration_of_the_manifest(text, seconds):
    assert parser().parse_args(["models", "--patience", text]).patience == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "8761h", "nan", "inf", "", "5 m"])
def test_patience_that_is_no_duration(text):
    ended = call("run", "x.yaml", f"--patience={text}")
    assert ended.code == 2
    assert f"{text!r} is no duration" in ended.err
