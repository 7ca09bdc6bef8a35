"""`fix-pictures`: copies of the pictures that a service may see otherwise than people do, or would refuse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from runner.cli import screen
from runner.cli.options import command_line
from runner.errors import Exit, Stage, UsageError, worst
from runner.manifest.pictures.conversion import MissingHeifError
from runner.manifest.pictures.prepared_copies import FOLDER, ChangedLine, Prepared, changed_lines, prepare
from runner.manifest.reader import named_pictures
from runner.shipped import install_line
from runner.state.disk import disk_errors


def fix_pictures(options: argparse.Namespace) -> int:
    """Make the copies, and print the lines that name them."""
    named = named_pictures(Path(options.manifest), allow_outside=options.allow_outside)
    screen.diagnostics(named.errors, Stage.STRUCTURE)
    try:
        with disk_errors(f"write {named.base / FOLDER}"):
            done = list(prepare(named.candidates, named.rules, named.base, lambda path: screen.say(f"  made {path}")))
    except MissingHeifError:
        raise UsageError("HEIC pictures are read with pillow-heif, which is missing", install_line("heic")) from None
    lines = changed_lines(done, named.source, named.base)
    if options.json:
        screen.document(_document(options, done, lines))
    else:
        _show(options, done, lines)
    is_left = any(each.problem for each in done)
    return worst([Exit.INVALID if named.errors else Exit.DONE, Exit.JOBS_FAILED if is_left else Exit.DONE])


def _show(options: argparse.Namespace, done: Sequence[Prepared], lines: Sequence[ChangedLine]) -> None:
    made, there = (sum(each.is_new is is_new for each in done if each.path) for is_new in (True, False))
    for problem in dict.fromkeys(f"{each.candidate.label} {each.problem}" for each in done if each.problem):
        screen.show(f"  left: {problem}")
    if not made and not there:
        screen.report("No picture needs a copy." if not any(each.problem for each in done) else "No copy was made.")
        return
    before = f", {there:,} were there" if there else ""
    screen.show(f"{screen.count(made, 'new picture')} in {FOLDER}{before}. Change these lines:")
    for line in lines:
        screen.show("", f"{line.file}:{line.line}", f"  - {line.old.strip()}")
        screen.show(*(f"  + {each.strip()}" for each in line.new))
    screen.report("", f"Then: {command_line(options, 'validate')}")


def _document(options: argparse.Namespace, done: Sequence[Prepared], lines: Sequence[ChangedLine]) -> dict[str, object]:
    return {
        "manifest": str(Path(options.manifest).absolute()),
        "pictures": [
            {
                "image": each.candidate.image.id,
                "source": each.candidate.label,
                "copy": each.path or None,
                "new": each.is_new,
                "problem": each.problem or None,
            }
            for each in done
        ],
        "lines": [{"file": each.file, "line": each.line, "old": each.old, "new": list(each.new)} for each in lines],
    }
