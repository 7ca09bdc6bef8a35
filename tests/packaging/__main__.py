"""Install the sdist and the wheel with each extra from a folder of packages, without a network, and use each.

    python -m tests.packaging [EXTRA ...]

Fetching the packages, where pip does not have them yet, and a dozen fresh environments take some minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.command import ROOT
from tests.packaging.checks import CHECKS
from tests.packaging.distributions import built, clean_copy, unpacked

# Before each check: what they share.
_SHARED = """
import subprocess, sys
from pathlib import Path

def run(*words):
    done = subprocess.run([Path(sys.executable).parent / "reelrun", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout

def picture(name):
    from PIL import Image
    Image.new("RGB", (400, 400), "teal").save(name)

assert run("--version").startswith("reelrun ")
assert "_shtab_reelrun" in run("completion", "bash")
"""


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        sdist, wheel = built(clean_copy(ROOT, work / "source"), work / "index")
        extras = names or list(CHECKS)
        _told("packages", lambda: _fetch(wheel, extras, work / "index"))
        _told("tests are found in the sdist", lambda: _collect(unpacked(sdist, work / "unpacked")))
        _told("wheel", lambda: _try(work, "wheel", str(wheel), ""))
        _told("sdist", lambda: _try(work, "sdist", str(sdist), ""))
        for extra in extras:
            _told(f"wheel with {extra}", lambda extra=extra: _try(work, extra, f"{wheel}[{extra}]", CHECKS[extra]))
        _told("wheel with all", lambda: _try(work, "all", f"{wheel}[{','.join(extras)}]", ""))


def _told(what: str, step: Callable[[], None]) -> None:
    started = time.monotonic()
    step()
    print(f"{what:<30} {time.monotonic() - started:6.1f} s", flush=True)


def _fetch(wheel: Path, extras: list[str], index: Path) -> None:
    """Everything that the wheel needs with its extras, and what builds the sdist, as wheels in one folder."""
    what = [f"{wheel}[{','.join(extras)}]", "hatchling>=1.25"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--wheel-dir", index, *what], check=True)


def _collect(root: Path) -> None:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider"]
    subprocess.run(words, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, stdout=subprocess.DEVNULL)


def _try(work: Path, name: str, what: str, check: str) -> None:
    """A fresh environment with nothing but what the folder of packages has."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", work / name], check=True)
    python, place = work / name / "bin" / "python", work / f"{name}-work"
    place.mkdir()
    without = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHONPATH", "GMI_"))}
    words = ["--python", python, "install", "--no-index", "--no-compile", "--find-links", work / "index", what]
    alone = {**without, "PIP_CONFIG_FILE": os.devnull, "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([sys.executable, "-m", "pip", *words], env=alone, check=True)
    subprocess.run([python, "-c", _SHARED + check], cwd=place, env=without, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
