from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys

import pytest

from runner.cli import error_handler as ending
from runner.errors import (
    AccessError,
    BudgetError,
    DiskError,
    LockedError,
    NotConfirmedError,
    ReelrunError,
    ServiceError,
    StateError,
    UsageError,
)
from tests.command import SANDBOX, call, spawn
from tests.kit import sampled, write_manifest


class Options:
    json = True


def raising(error):
    def command(options):
        raise error

    return command


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UsageError, 2),
        (AccessError, 3),
        (BudgetError, 4),
        (NotConfirmedError, 4),
        (LockedError, 5),
        (StateError, 7),
        (DiskError, 7),
        (ServiceError, 7),
        (ReelrunError, 7),
    ],
)
def test_an_error_is_words_a_document_and_a_code(capsys, kind, code):
    assert ending.guarded(raising(kind("it is wrong", "mend it")), Options()) == code
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": {"code": kind.code, "message": "it is wrong", "hint": "mend it"},
        "diagnostics": [],
    }
    assert err == "error: it is wrong\n  help: mend it\n"


def test_an_interruption(capsys):
    assert ending.guarded(raising(KeyboardInterrupt()), Options()) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_what_the_system_refuses_is_no_traceback(capsys):
    assert ending.guarded(raising(PermissionError(13, "Permission denied", "/somewhere")), Options()) == 7
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["message"] == "the system refuses: Permission denied (/somewhere)"
    assert "help:" in err


def test_a_reader_of_the_first_line_changes_no_exit_code(tmp_path):
    path = write_manifest(
        tmp_path, takes=60, prompts=[{"id": "a", "text": "forbidden " * 200}], budget={"price_per_job": 1}
    )
    ended = spawn("plan", path, "--json", shell="| head -1")
    assert (ended.code, ended.out) == (0, "{\n")


@pytest.mark.parametrize("buffering", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_reader_that_has_gone_changes_no_exit_code(tmp_path, buffering):
    path = write_manifest(tmp_path, prompts=[{"id": "a", "text": "forbidden"}])
    ended = spawn("run", path, *SANDBOX, shell="2>&1 | true", **buffering)
    assert ended.code == 1, "the one job is refused"
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("buffering", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_full_disk_behind_stdout(tmp_path, buffering):
    ended = spawn("plan", write_manifest(tmp_path), shell="> /dev/full", **buffering)
    assert ended.code == 7
    assert "No space left" in ended.err
    assert "Traceback" not in ended.err


def test_a_folder_that_is_gone(tmp_path):
    path = write_manifest(tmp_path / "a")
    (tmp_path / "gone").mkdir()
    ended = spawn("--version", shell=f'&& rmdir ../gone && "$@" && "${{@:1:3}}" plan {path}', cwd=tmp_path / "gone")
    assert (ended.code, ended.err) == (0, "")


ENDING = """
import sys, threading
from runner.cli.error_handler import end

def work():
    {work}
    print("brought to an end", flush=True)

threading.Thread(target=work, name="reelrun-1").start()
print("written", end="")
end(6)
"""


@pytest.mark.parametrize(
    ("work", "out"), [("", "written"), ("threading.Event().wait()", "written")], ids=["it ends", "it hangs"]
)
def test_threads_that_hang_do_not_keep_the_process(work, out):
    ended = subprocess.run([sys.executable, "-c", ENDING.format(work=work)], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (6, "")
    assert ("brought to an end" in ended.stdout) == (work == "")
    assert out in ended.stdout


def test_a_manifest_error_is_a_document_with_its_first_place(tmp_path):
    path = write_manifest(tmp_path, params={"duration": 5})
    ended = call("plan", path, "--json")
    assert ended.code == 2
    error = ended.document["error"]
    assert error["code"] == "manifest"
    assert f"{path}:" in error["message"]
    assert 'write "5"' in error["hint"]
    assert "error[E204]" in ended.err


@pytest.mark.parametrize("command", ["plan", "run", "status", "index", "verify"])
@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "broken", "binary"])
def test_no_command_has_a_traceback_for_a_bad_manifest(tmp_path, command, kind):
    path = tmp_path / "x.yaml"
    content = {"empty": b"", "broken": b"a: [1\nb: }", "binary": b"\xff\xfe\x00\x00"}
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(content[kind])
    ended = call(command, path, "--json")
    assert ended.code == 2
    assert ended.document["error"]["code"] == "manifest"
    assert "Nothing was sent." in ended.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is no more memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory", "x"), "there is no more memory"),
        (RuntimeError("can't start new thread"), "the system starts no more threads"),
    ],
)
def test_what_the_system_does_not_give_is_no_traceback(capsys, error, said):
    assert ending.guarded(raising(error), Options()) == 7
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["message"] == said
    assert "ulimit" in err


def test_another_error_of_the_program_is_not_hidden():
    with pytest.raises(RuntimeError, match="a mistake"):
        ending.guarded(raising(RuntimeError("a mistake")), Options())


@pytest.mark.parametrize("megabytes", [45, 60, 100, 250])
def test_little_memory(tmp_path, megabytes):
    path = write_manifest(tmp_path)
    done = spawn("plan", path, limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20,) * 2))
    assert done.code == 7
    assert "Traceback" not in done.err
    assert "memory" in done.err


@pytest.mark.parametrize("command", sampled(["validate", "plan", "run", "status", "index", "verify", "init"], 3))
def test_a_current_folder_that_was_deleted(tmp_path, command):
    here = tmp_path / "gone"
    here.mkdir()
    done = spawn(command, "campaign.yaml", cwd=here, limit=here.rmdir)
    assert (done.code, "Traceback" in done.err) == (7, False)
    path = write_manifest(tmp_path)
    here.mkdir()
    assert spawn("validate", path, cwd=here, limit=here.rmdir).code == 0
