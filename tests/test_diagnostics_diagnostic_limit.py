"""Where the diagnostics of a manifest end, at each stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.diagnostics.diagnostic_limit import MOST
from runner.errors import Severity
from runner.manifest.reader import read
from tests.command import call

HEAD = """version: 1
model: Kling-Image2Video-V1.6-Standard
images: [{url: "https://example.com/a.jpg"}]
"""
PROMPTS = 'prompts: [{id: plain, text: "The shoe, slow push-in"}]\n'
COUNT = 3000
ERRORS = {
    "keys twice": PROMPTS + "x-a:\n" + "".join(f"  k{index}: 1\n" for index in range(COUNT)) * 2,
    "dates": PROMPTS + "x-a:\n" + "  - 2024-01-01\n" * COUNT,
    "unknown keys": PROMPTS + "".join(f"key{index}: 1\n" for index in range(COUNT)),
    "unknown parameters": PROMPTS + "params:\n" + "".join(f"  key{index}: 1\n" for index in range(COUNT)),
    "wrong prompts": "prompts:\n" + "".join(f"  - {{id: p{index}, txt: 1}}\n" for index in range(COUNT)),
    "missing files": "prompts:\n" + "".join(f"  - {{id: p{index}, file: no{index}.j2}}\n" for index in range(COUNT)),
    "equal ids": "prompts:\n" + '  - {id: p, text: "The shoe, slow push-in"}\n' * COUNT,
    "equal values": PROMPTS + "lint: {ignore: [" + "W801, " * COUNT + "]}\n",
    "names": PROMPTS + "vars:\n" + "".join(f'  "a {index}": 1\n' for index in range(COUNT)),
    "excludes": PROMPTS
    + "matrix:\n  a: [1]\n  exclude:\n"
    + "".join(f"    - {{b{index}: 1}}\n" for index in range(COUNT)),
    "braces": PROMPTS + "matrix:\n  a:\n" + "".join(f'    - "{{{{ {index}"\n' for index in range(COUNT)),
}


def validated(folder: Path, text: str) -> tuple[int, list[dict[str, Any]]]:
    path = folder / "campaign.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    ended = call("validate", "--json", path)
    return ended.code, ended.document["diagnostics"]


@pytest.mark.parametrize("text", ERRORS.values(), ids=ERRORS)
def test_the_errors_that_are_told_have_an_end(tmp_path: Path, text: str) -> None:
    code, found = validated(tmp_path, text)
    errors = [each for each in found if each["severity"] == "error"]
    assert code == 2
    assert MOST / 2 <= len(errors) <= MOST
    assert any("the rest" in each["message"] for each in errors)


def test_warnings_have_an_end_and_stop_nothing(tmp_path: Path) -> None:
    values = "    - no\n" * COUNT
    code, found = validated(tmp_path, f"{PROMPTS}matrix:\n  a:\n{values}  sample: {{count: 1}}\n")
    doubts = [each for each in found if each["code"] == "W901"]
    assert (code, len(doubts)) == (0, MOST)
    assert doubts[-1]["message"].endswith(f"(and {COUNT - MOST:,} more warnings)")


def test_as_many_errors_as_are_told_hide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(HEAD + PROMPTS + "".join(f"key{index}: 1\n" for index in range(MOST - 1)), encoding="utf-8")
    found = [each for each in read(path).diagnostics if each.severity is Severity.ERROR]
    assert len(found) == MOST - 1
    assert not any("the rest" in each.message for each in found)
