"""As in a container: a user without an account or a home, a disk that cannot be written, and one folder that can."""

import json
import os
import subprocess
import sys

import pytest

from tests.command import SANDBOX, environment, spawn
from tests.kit import write_manifest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user, and mount a disk")

NOBODY = 65_434
# Python itself may lie where only root reads: the user may read everything, and write nothing.
READS = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--bounding-set=-all,+dac_read_search")
MOUNTED = """
for each in / /tmp /var/tmp "$HOME"; do mount --bind "$each" "$each" && mount -o remount,bind,ro "$each"; done
mount --bind "$1" "$1" && mount -o remount,bind,rw "$1" && cd "$2" && shift 2 && exec "$@"
"""
# All in one process: starting one for each command would take longer than the commands.
COMMANDS = """
import json, os, pwd, sys, tempfile
from tests.command import SANDBOX, call

folder, told = sys.argv[1], {}
def tell(name, *words):
    ended = call(*words)
    told[name] = [ended.code, ended.out, ended.err]

tell("validate", "validate", "campaign.yaml")
tell("plan", "plan", "campaign.yaml")
tell("doctor", "doctor", "campaign.yaml")
tell("init", "init", folder + "/demo")
tell("run", "run", "campaign.yaml", *SANDBOX)
tell("status", "status", "campaign.yaml", "--sandbox")
tell("verify", "verify", "campaign.yaml", "--sandbox")
tell("measure", "measure", "campaign.yaml", "--sandbox", "--processes", "1")
tell("again", "run", "campaign.yaml", *SANDBOX, "--again", "p0/plain/take-1")
tell("lock", "plan", "campaign.yaml", "--lock")
tell("elsewhere", "run", "campaign.yaml", *SANDBOX, "--output", "here")
from runner.cli.commands.choosing.review_command import _forward
os.environ["SSH_CONNECTION"] = "10.0.0.1 1234 10.0.0.2 22"
told["ssh"] = _forward("http://127.0.0.1:8000/")
told["has an account"] = os.getuid() in [each.pw_uid for each in pwd.getpwall()]
try:
    told["temporary"] = tempfile.gettempdir()
except FileNotFoundError:
    told["temporary"] = None
print(json.dumps(told))
"""


def contained(campaign, out, **home):
    """What the commands told as that user, with this HOME or none."""
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *READS)
    keep = {name: value for name, value in environment().items() if name in ("PATH", "PYTHONPATH", "PYTHONUTF8")}
    with_home = ("env", "-i", *(f"{name}={value}" for name, value in {**keep, **home}.items()))
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-ec", MOUNTED, "bash", out, campaign, *with_home, *user,
         sys.executable, "-c", COMMANDS, out],
        env={**os.environ, "HOME": "/root"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture
def folders(tmp_path):
    """A campaign, and the folder of its results, which alone can be written."""
    out = tmp_path / "out"
    out.mkdir()
    os.chown(out, NOBODY, NOBODY)
    write_manifest(tmp_path / "campaign", output={"dir": "../out/results", "previews": "none"})
    for folder in (tmp_path / "campaign", tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    return tmp_path / "campaign", out


@pytest.mark.parametrize("home", [{}, {"HOME": "/root"}], ids=["no home", "read-only home"])
def test_everything_works_but_for_what_writes_elsewhere(folders, home):
    campaign, out = folders
    before = sorted(os.listdir(campaign))
    told = contained(campaign, out, **home)
    assert (told.pop("has an account"), told.pop("temporary")) == (False, None), "the disk cannot be written"
    assert told.pop("ssh") == "ssh -N -L 8000:127.0.0.1:8000 USER@10.0.0.2"
    codes = {name: code for name, (code, _, _) in told.items()}
    # There is no key, and nobody's name.
    refused = {"doctor": 3, "again": 2, "lock": 7, "elsewhere": 7}
    assert codes == {**dict.fromkeys(codes, 0), **refused}, told
    assert "Traceback" not in str(told)
    assert "BAD  output" not in told["doctor"][1]
    assert "write --as NAME" in told["again"][2]
    assert "campaign.lock.json: Read-only file system" in told["lock"][2]
    assert "then run the same command again: nothing is lost" in told["lock"][2]
    assert "1 job: 1 succeeded." in told["run"][1]
    assert sorted(os.listdir(campaign)) == before
    assert sorted(os.listdir(out)) == ["demo", "results-sandbox"]


def test_nothing_is_left_in_a_home(tmp_path):
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    path = write_manifest(tmp_path / "campaign")
    ended = spawn("run", path, *SANDBOX, HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path / "temporary"))
    assert ended.code == 0
    assert [*os.listdir(tmp_path / "home"), *os.listdir(tmp_path / "temporary")] == []
