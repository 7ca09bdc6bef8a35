"""The verdict files of a campaign on a real disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from runner.errors import DiskError, SecretError, UsageError
from runner.verdicts.verdict import LONGEST, Mark, Marking, Note, Stars, Verdict, VerdictError, written
from runner.verdicts.verdict_files import Uncounted, append, file_of, folder_of, read, reviewers_in, take_in, told
from tests.command import ROOT, environment

A, HASH = "a" * 16, "0" * 64
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
PICK, REJECT = Mark(A, Marking.PICK), Mark(A, Marking.REJECT)


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "campaign.yaml")


def say(folder, said=PICK, by="ann", now=NOW):
    return append(folder, by, said, dict.fromkeys(said.jobs, HASH), now)


def times(folder, by="ann"):
    return [json.loads(line)["at"] for line in file_of(folder, by).read_bytes().splitlines()]


def whys(folder):
    return [(each.file, each.line, each.why) for each in read(folder).uncounted]


def test_they_lie_beside_the_manifest_and_those_of_the_sandbox_apart(tmp_path):
    manifest = tmp_path / "campaign.yaml"
    assert folder_of(manifest) == tmp_path / "campaign.verdicts"
    assert folder_of(manifest, is_sandbox=True) == tmp_path / "campaign-sandbox.verdicts"
    assert file_of(folder_of(manifest), "ann") == tmp_path / "campaign.verdicts" / "ann.jsonl"


def test_what_is_said_is_read_and_each_line_is_later_than_the_last(folder):
    said = [say(folder), say(folder, REJECT), say(folder, PICK, now=datetime(2020, 1, 1, tzinfo=UTC))]
    assert times(folder) == [f"2026-11-28T09:00:00.00000{micro}Z" for micro in (0, 1, 2)]
    found = read(folder)
    assert [each.verdict for each in found.lines] == [each.verdict for each in said]
    assert [each.sha256 for each in found.lines] == [each.sha256 for each in said]
    assert [(each.file, each.number) for each in found.lines] == [("ann.jsonl", 1), ("ann.jsonl", 2), ("ann.jsonl", 3)]
    assert found.uncounted == ()


def test_it_is_later_than_every_line_of_a_merged_file(folder):
    late, early = (Verdict(f"2026-12-0{day}T00:00:00.000000Z", "ann", {A: HASH}, PICK) for day in (2, 1))
    folder.mkdir()
    file_of(folder, "ann").write_bytes(written(late) + b"\n" + written(early) + b"\n")
    assert say(folder).verdict.at == "2026-12-02T00:00:00.000001Z"


def test_at_the_end_of_all_times_nothing_can_be_later(folder):
    folder.mkdir()
    file_of(folder, "ann").write_bytes(written(Verdict("9999-12-31T23:59:59.999999Z", "ann", {A: HASH}, PICK)) + b"\n")
    before = file_of(folder, "ann").read_bytes()
    with pytest.raises(UsageError, match="has the time 9999-12-31"):
        say(folder)
    assert file_of(folder, "ann").read_bytes() == before


def test_a_line_that_was_cut_short_is_ended_and_told(folder):
    say(folder)
    with file_of(folder, "ann").open("ab") as file:
        file.write(b'{"v": 1, "at"')
    say(folder, REJECT)
    assert [each.number for each in read(folder).lines] == [1, 3]
    assert whys(folder) == [("ann.jsonl", 2, "it is not JSON")]


def test_a_last_line_without_its_end_counts_where_it_is_whole(folder):
    say(folder)
    path = file_of(folder, "ann")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(read(folder).lines) == 1
    say(folder, REJECT)
    assert (len(read(folder).lines), whys(folder)) == (2, [])


def test_line_ends_of_another_system_change_no_hash(folder):
    one = say(folder)
    path = file_of(folder, "ann")
    path.write_bytes(b"\r\n" + path.read_bytes().replace(b"\n", b"\r\n"))
    (line,) = read(folder).lines
    assert (line.sha256, line.number) == (one.sha256, 2)


def test_long_lines_are_told_and_never_held(folder):
    say(folder)
    with file_of(folder, "ann").open("ab") as file:
        file.write(b"x" * 10_000_000 + b"\n" + b"y" * (LONGEST - 1) + b"\n")
    say(folder, REJECT)
    assert [each.number for each in read(folder).lines] == [1, 4]
    assert whys(folder) == [("ann.jsonl", 2, "it is longer than 64 KiB"), ("ann.jsonl", 3, "it is not JSON")]


def test_a_line_of_somebody_else_is_told(folder):
    say(folder)
    file_of(folder, "bob").write_bytes(file_of(folder, "ann").read_bytes())
    assert whys(folder) == [("bob.jsonl", 1, "it is by ann, in the file of bob")]


def test_what_is_no_file_of_a_reviewer(folder):
    say(folder)
    (folder / "Ann B.jsonl").write_text("{}")
    (folder / "notes.txt").write_text("x")
    (folder / ".ann.jsonl").write_text("x")
    (folder / "pages").mkdir()
    (folder / "dir.jsonl").mkdir()
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "link.jsonl").symlink_to(folder / "ann.jsonl")
    assert whys(folder) == [
        ("Ann B.jsonl", 0, "its name is no reviewer's name"),
        ("dir.jsonl", 0, "dir.jsonl is not a regular file"),
        ("link.jsonl", 0, "link.jsonl is a link, and is not followed"),
        ("pipe.jsonl", 0, "pipe.jsonl is not a regular file"),
    ]
    assert len(read(folder).lines) == 1
    linked = folder.parent / "b" / "campaign.verdicts"
    linked.parent.mkdir()
    linked.symlink_to(folder)
    (why,) = {each.why.partition("campaign")[2] for each in read(linked).uncounted if each.file == "ann.jsonl"}
    assert "leads out of" in why
    assert "ann" in reviewers_in(folder)
    assert reviewers_in(folder / "none") == []


def test_nothing_is_written_through_a_link_or_into_a_pipe(folder, tmp_path):
    folder.mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    file_of(folder, "ann").symlink_to(target)
    os.mkfifo(file_of(folder, "bob"))
    for by in ("ann", "bob"):
        with pytest.raises(DiskError):
            say(folder, by=by)
    assert target.read_text() == "mine"
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    other = tmp_path / "deep" / "campaign.verdicts"
    other.parent.mkdir()
    other.symlink_to(outside)
    with pytest.raises(DiskError, match="through a link"):
        say(other)
    assert list(outside.iterdir()) == []


def test_what_cannot_be_said(folder, monkeypatch):
    with pytest.raises(UsageError, match="longer than 64 KiB"):
        say(folder, Note(A, 1.0, "x" * LONGEST))
    with pytest.raises(UsageError, match="no reviewer's name"):
        say(folder, by="../ann")
    monkeypatch.setenv("GMI_API_KEY", "sk-secret-key")
    with pytest.raises(SecretError):
        say(folder, Note(A, 1.0, "it is sk-secret-key"))
    assert [path.read_bytes() for path in folder.iterdir()] == [b""]


def test_two_processes_share_a_file(folder):
    code = (
        "import sys; from pathlib import Path; from runner.verdicts.verdict import *;"
        " from runner.verdicts.verdict_files import append\n"
        f"for _ in range(30): append(Path(sys.argv[1]), 'ann', Stars('{A}', 3), {{'{A}': '{HASH}'}})"
    )
    command = [sys.executable, "-c", code, str(folder)]
    processes = [subprocess.Popen(command, env=environment(), cwd=ROOT) for _ in range(2)]
    assert [each.wait() for each in processes] == [0, 0]
    found = times(folder)
    assert len(set(found)) == 60
    assert found == sorted(found)
    assert read(folder).uncounted == ()


def test_what_comes_from_a_later_day_is_not_taken_in(folder, tmp_path):
    source, now = tmp_path / "sent.jsonl", datetime(2026, 11, 28, 9, tzinfo=UTC)
    times = ("2026-11-29T08:59:59.000000Z", "2026-11-29T09:00:01.000000Z", "9999-12-31T23:59:59.999999Z")
    source.write_bytes(b"\n".join(written(Verdict(at, "bob", {A: HASH}, Stars(A, 1))) for at in times))
    taken = take_in(source, folder, now=now)
    assert (taken.new, [each.line for each in taken.uncounted]) == ({"bob": 1}, [2, 3])


def test_taken_in_once_and_by_each_reviewer(folder, tmp_path):
    say(folder)
    source = tmp_path / "sent.jsonl"
    other = [written(Verdict(f"2026-11-28T10:00:0{n}.000000Z", "bob", {A: HASH}, Stars(A, n))) for n in range(3)]
    mine = file_of(folder, "ann").read_bytes().strip()
    source.write_bytes(b"\n".join([*other, mine, b"{}", other[0], b"x" * LONGEST + b"y"]))
    taken = take_in(source, folder)
    assert (taken.new, taken.known) == ({"bob": 3}, 1)
    assert taken.uncounted == (
        Uncounted("sent.jsonl", 5, "its version v is not 1"), Uncounted("sent.jsonl", 7, "it is longer than 64 KiB"),
    )  # fmt: skip
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = take_in(source, folder)
    assert (again.new, again.known) == ({}, 4)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(read(folder).lines) == 4


def test_taken_in_with_other_names_and_of_known_jobs_only(folder, tmp_path):
    source = tmp_path / "sent.jsonl"
    verdict = Verdict("2026-11-28T10:00:00.000000Z", "bob", {A: HASH}, PICK)
    source.write_bytes(written(verdict).replace(A.encode(), b"clip-7") + b"\nnothing\n")

    def translated(line):
        if b"clip-7" not in line:
            raise VerdictError("it names no clip of that page")
        return line.replace(b"clip-7", A.encode())

    assert take_in(source, folder).new == {}
    taken = take_in(source, folder, translated=translated, jobs={A})
    assert taken.new == {"bob": 1}
    assert [each.why for each in taken.uncounted] == ["it names no clip of that page"]
    assert [each.verdict for each in read(folder).lines] == [verdict]
    (stranger,) = take_in(source, folder, translated=translated, jobs=set()).uncounted[:1]
    assert stranger.why == "it speaks of a job that is not there"


def test_a_file_that_cannot_be_taken_in(folder, tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        take_in(tmp_path / "none", folder)
    with pytest.raises(UsageError, match="not a regular file"):
        take_in(tmp_path, folder)
    assert not folder.exists()


def test_what_is_told_is_short():
    many = [Uncounted("ann.jsonl", line, "it is not JSON") for line in range(1, 2000)]
    kinds = [Uncounted("bob.jsonl", 3, f"reason {number}") for number in range(9)]
    assert told(many) == ["not counted: ann.jsonl:1: it is not JSON (and 1,998 more)"]
    assert told([*many, *kinds])[-1] == "... and 5 reasons more"
    assert told([Uncounted("x.jsonl", 0, "it is a link")]) == ["not counted: x.jsonl: it is a link"]
