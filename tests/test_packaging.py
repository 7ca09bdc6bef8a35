"""What is handed out: the sdist and the wheel, by what they hold and what they say of themselves.

`python -m tests.packaging` installs them with each extra from a folder, without a network.
"""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser

import pytest

from tests.command import ROOT, environment
from tests.packaging.checks import CHECKS
from tests.packaging.distributions import built, contents, unpacked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_DEVELOPERS = {"bench", "test", "lint"}
# Where the project names an extra: `[web]`, install_line("web"), extra `web`.
NAMED = re.compile(r"reelrun\[([a-z,]+)\]|install_line\(\"([a-z]+)\"\)|\.\[([a-z,]+)\]'|extras? `([a-z]+)`")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("distributions"))


@pytest.fixture(scope="module")
def metadata(distributions):
    with zipfile.ZipFile(distributions[1]) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_twine_has_nothing_to_say(distributions):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *distributions], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 2), done.stdout


def test_the_sdist_makes_the_wheel_of_the_checkout(distributions, tmp_path):
    sdist, wheel = distributions
    _, again = built(unpacked(sdist, tmp_path / "source"), tmp_path)
    assert contents(again) == contents(wheel)


def test_the_sdist_holds_what_the_tests_need(distributions, tmp_path):
    """Everything but what is for the repository itself."""
    root = unpacked(distributions[0], tmp_path)
    held = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - {"PKG-INFO"}
    ours = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout.split("\0")
    # An sdist is no repository: what it holds is held to itself.
    expected = {each for each in ours if each and not each.startswith(".ci/") and (ROOT / each).is_file()} or held
    assert expected - held == set()


def test_the_wheel_is_a_command_with_its_files(distributions, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", tmp_path]
    subprocess.run([*install, distributions[1]], check=True, capture_output=True)
    command = tmp_path / "bin" / "reelrun"
    done = subprocess.run(
        [command, "schema"], env=environment(PYTHONPATH=str(tmp_path)), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "schemas" / "manifest.schema.json").read_text(encoding="utf-8")


def test_the_metadata_have_every_extra(metadata):
    assert set(metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    for extra, needed in PROJECT["optional-dependencies"].items():
        if extra not in FOR_DEVELOPERS:
            given = [each for each in metadata.get_all("Requires-Dist") if f"extra == '{extra}'" in each]
            assert len(given) == len(needed), extra


def test_every_extra_that_is_named_is_there_and_every_other_way_about():
    files = [ROOT / "README.md", *(ROOT / "runner").rglob("*.py")]
    found = [each for path in files for each in NAMED.findall(path.read_text(encoding="utf-8"))]
    named = {extra for each in found for extra in "".join(each).split(",")}
    assert named - {"test", "bench", "lint"} == PROJECT["optional-dependencies"].keys() - FOR_DEVELOPERS


def test_each_extra_is_tried():
    assert CHECKS.keys() == PROJECT["optional-dependencies"].keys() - FOR_DEVELOPERS
