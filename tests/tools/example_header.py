"""The comments that open an example manifest: what is said of it, and what it plans to.

    # expect: E204 18:13 "part of the help"   a diagnostic; FILE: before the line where that is not the manifest itself
    # shows:    18 |   duration: 5            a line of what the screen shows, as it stands there
    # plan: 3f1c9a7d20e4b856  shoe/plain/take-1                      a job, its id and its key, in the order of the plan
    # duplicates: shoe/plain/x=1/take-1 = shoe/plain/x=2/take-1      cells that render to one request
    # payload: shoe/plain/take-1 {cfg_scale: 0.3, duration: null}    some parameters of a job; null: it is not sent
    # writes: shoe/plain/take-1 shoe/plain-1                         the path of a job's video, below videos/
    # reads: {takes: 2, run: {wait: 1800.0}}                         some settings, as they are read

`python -m tests.tools.example_header --lines FILE...` prints the lines of expect, plan and duplicates as they would
have to be for what the runner says now. It changes no file: an author compares them with what was meant, and pastes
them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import runner
from runner.planning.plan import Plan
from tests.command import call

EXAMPLES = Path(__file__).parents[1] / "examples"
# Most of them read texts from a folder beside their own.
FILES = EXAMPLES / "files"
VALID = sorted((EXAMPLES / "valid").glob("*.yaml"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.yaml"))

_LINE = re.compile(r"# (?P<word>expect|shows|plan|duplicates|payload|writes|reads): (?P<rest>.*)")
_EXPECT = re.compile(r'(?P<code>[EW]\d{3}) (?:(?P<file>\S+):)?(?P<line>\d+):(?P<column>\d+) (?P<help>".*")')
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Expected:
    """A diagnostic as a header tells it. `help` is a part of the hint."""

    code: str
    file: str
    line: int
    column: int
    help: str

    @property
    def place(self) -> tuple[str, str, int, int]:
        return self.code, self.file, self.line, self.column


@dataclass(frozen=True, slots=True)
class Header:
    """The lines of one example, by their words."""

    path: Path
    lines: Mapping[str, Sequence[str]]

    def of(self, word: str) -> list[str]:
        return list(self.lines.get(word, ()))

    @property
    def expected(self) -> list[Expected]:
        return [self._expected(text) for text in self.of("expect")]

    def _expected(self, text: str) -> Expected:
        found = _EXPECT.fullmatch(text)
        assert found, f"{self.path}: {text}"
        file = found["file"] or name_of(self.path)
        return Expected(found["code"], file, int(found["line"]), int(found["column"]), json.loads(found["help"]))

    @property
    def reads(self) -> Mapping[str, Any]:
        return {key: value for text in self.of("reads") for key, value in yaml.safe_load(text).items()}

    @property
    def payloads(self) -> list[tuple[str, Mapping[str, Any]]]:
        parts = (text.partition(" ") for text in self.of("payload"))
        return [(key, yaml.safe_load(members)) for key, _, members in parts]


def header_of(path: Path) -> Header:
    lines: dict[str, list[str]] = {}
    for line in _text(path).splitlines():
        found = _LINE.fullmatch(line)
        if found:
            lines.setdefault(found["word"], []).append(found["rest"])
    return Header(path, lines)


def name_of(path: Path) -> str:
    """The name of an example where the examples are the current folder."""
    return str(path.relative_to(EXAMPLES))


def _text(path: Path) -> str:
    data = path.read_bytes()
    return data.decode("utf-16") if data.startswith(_UTF16) else data.decode("utf-8-sig", "replace")


def plan_lines(plan: Plan) -> list[str]:
    return [f"{each.job.id}  {each.job.key}" for each in plan.jobs]


def duplicate_lines(plan: Plan) -> list[str]:
    return [" = ".join(keys) for keys in plan.duplicates]


def _found(path: Path) -> list[str]:
    """The lines for an example, with the places that its diagnostics have below these lines."""
    diagnostics = call("validate", name_of(path), "--json", "--allow-outside", FILES).document["diagnostics"]
    told = []
    if not any(each["severity"] == "error" for each in diagnostics):
        plan = runner.plan(runner.load(name_of(path), allow_outside=[FILES]))
        told += [f"# plan: {line}" for line in plan_lines(plan)]
        told += [f"# duplicates: {line}" for line in duplicate_lines(plan)]
    header = header_of(path)
    written = sum(len(header.of(word)) for word in ("expect", "plan", "duplicates"))
    added = len(diagnostics) + len(told) - written
    return [*(_expect_line(each, path, added) for each in diagnostics), *told]


def _expect_line(diagnostic: Mapping[str, Any], path: Path, added: int) -> str:
    is_own = diagnostic["file"] == name_of(path)
    file = "" if is_own else f"{diagnostic['file']}:"
    line = diagnostic["line"] + (added if is_own else 0)
    help = json.dumps(diagnostic["hint"], ensure_ascii=False)
    return f"# expect: {diagnostic['code']} {file}{line}:{diagnostic['column']} {help}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The comments that open an example manifest.")
    parser.add_argument("--lines", nargs="+", type=Path, required=True, metavar="FILE", help="print the lines of these")
    paths = [path.resolve() for path in parser.parse_args().lines]
    with contextlib.chdir(EXAMPLES):
        for path in paths:
            print(f"## {name_of(path)}", *_found(path), sep="\n")


if __name__ == "__main__":
    main()
