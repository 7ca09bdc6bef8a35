"""`review` as people call it; what it serves is tested where it is made."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from runner.cli.commands.choosing import review_command
from tests.command import call, environment
from tests.finished_clips import clips_of, finished_campaign
from tests.kit import write_manifest
from tests.test_review_session import vote


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture, two arms, two takes of each."""
    return finished_campaign(tmp_path_factory.mktemp("campaign"), pictures=1, takes=2)


@contextmanager
def serving(path: Path, *words: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "review", path, *words],
        env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        yield process, process.stderr.readline()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_serves_until_it_is_told_to_end_and_one_at_a_time(campaign: Path) -> None:
    with serving(campaign, "--as", "ann", SSH_CONNECTION="10.0.0.1 5000 10.0.0.2 22") as (process, line):
        words, address = line.rsplit(maxsplit=1)
        port = int(address.partition("127.0.0.1:")[2].partition("/")[0])
        assert words == "Review by ann:"
        with urlopen(address) as answer:
            assert b"Which is better?" in answer.read()
        assert process.stderr is not None
        assert f"ssh -N -L {port}:127.0.0.1:{port} " in (forward := process.stderr.readline())
        assert "@10.0.0.2" in forward
        kept = campaign.parent / "out" / ".review-ann.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        second = call("review", campaign, "--as", "ann")
        assert (second.code, "is being served already" in second.err, "--as NAME" in second.err) == (2, True, True)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "The review ends; what was said is kept.\nNext: reelrun index " in err
    assert not kept.exists()


@dataclass(frozen=True, slots=True)
class Page:
    """What the page of a review does: it has the cookie, asks, and says."""

    port: int
    cookie: str

    @classmethod
    def opened(cls, address: str) -> Page:
        with urlopen(address) as answer:
            return cls(urlsplit(address).port or 0, answer.headers["set-cookie"].partition(";")[0])

    def send(self, method: str, path: str, document: object = None) -> http.client.HTTPConnection:
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"Cookie": self.cookie, "Origin": origin, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, json.dumps(document), headers)
        return connection

    def ask(self, method: str, path: str, document: object = None) -> dict[str, Any]:
        with closing(self.send(method, path, document)) as connection:
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found


def test_a_kill_loses_at_most_the_vote_under_the_finger(tmp_path: Path) -> None:
    """Killed while an answer is on its way: all before it are on the disk, and it is once it is sent again."""
    path = finished_campaign(tmp_path, pictures=2, takes=2)
    file = tmp_path / "campaign.verdicts" / "eve.jsonl"
    told, under_the_finger = 0, None
    for answers in (0, 2, 3):
        with serving(path, "--as", "eve") as (process, line):
            page = Page.opened(line.rsplit(maxsplit=1)[1])
            if under_the_finger is not None:
                page.ask("POST", "/said", under_the_finger)
                told += 1
                assert len(file.read_text("utf-8").splitlines()) == told
            shown = page.ask("GET", "/shown/pairs")
            for _ in range(answers):
                shown = page.ask("POST", "/said", vote(shown))
                told += 1
            under_the_finger = vote(shown, "right")
            connection = page.send("POST", "/said", under_the_finger)
            process.kill()
            process.wait()
            connection.close()
        whole = (file.read_text("utf-8") if file.exists() else "").split("\n")[:-1]
        assert told <= len(whole) <= told + 1
        assert [json.loads(line)["by"] for line in whole] == ["eve"] * len(whole)


def test_a_name_that_is_none(campaign: Path) -> None:
    ended = call("review", campaign, "--as", "Ann Lee")
    assert (ended.code, "--as ann-lee" in ended.err) == (2, True)


def test_before_there_are_clips(tmp_path: Path) -> None:
    path = write_manifest(tmp_path)
    ended = call("review", path, "--as", "ann")
    assert (ended.code, "there are no clips to review yet" in ended.err) == (7, True)
    assert "reelrun run" in ended.err
    assert not (tmp_path / "campaign.verdicts").exists()


def test_without_the_packages_of_the_web(campaign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runner.review.serving.review_app", None)
    ended = call("review", campaign, "--as", "ann")
    assert (ended.code, "pip install" in ended.err) == (2, True)


def test_a_browser_is_opened_where_there_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    assert review_command._has_display() is (sys.platform == "darwin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert review_command._has_display()
    monkeypatch.setenv("SSH_CONNECTION", "a 1 b 2")
    assert not review_command._has_display()


def test_a_page_for_people_elsewhere(campaign: Path, tmp_path: Path) -> None:
    ended = call("review", campaign, "--page", tmp_path / "page")
    assert (ended.code, "6 to judge, 4 clips" in ended.out) == (0, True) or "7 to judge" in ended.out
    assert "--take-in FILE" in ended.out
    assert sorted(os.listdir(tmp_path / "page")) == ["clips", "index.html"]
    again = call("review", campaign, "--page", tmp_path / "page")
    assert (again.code, "not empty" in again.err) == (2, True)
    both = call("review", campaign, "--page", tmp_path / "other", "--take-in", "x")
    assert both.code == 2


def test_what_is_sent_back(campaign: Path, tmp_path: Path) -> None:
    document = call("review", campaign, "--page", tmp_path / "page", "--mode", "cull", "--json").document
    assert (document["clips"], document["tasks"]) == (4, 4)
    name = sorted((tmp_path / "page" / "clips").iterdir())[0].stem
    told = {"v": 1, "by": "bob", "page": document["page"], "kind": "mark", "job": name, "mark": "pick"}
    at = "2026-11-28T09:00:00.{:06}Z"
    lines: list[object] = [
        {**told, "at": at.format(1)},
        {**told, "at": at.format(2), "mark": "reject"},
        {"v": 1, "at": at.format(3), "by": "bob", "page": document["page"], "kind": "undo", "of": at.format(2)},
        {**told, "at": at.format(4), "page": "0" * 16},
        {**told, "at": at.format(5), "page": "../../../etc"},
        {**told, "at": at.format(6), "job": clips_of(campaign)[0].job},
        {**told, "at": at.format(7), "by": "../bob"},
        "no object",
    ]
    sent = tmp_path / "sent.jsonl"
    sent.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    ended = call("review", campaign, "--take-in", sent)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "3 new lines by bob, 0 known, 5 not taken."
    assert "sent.jsonl:4: its page was not made here" in ended.out
    again = call("review", campaign, "--take-in", sent, "--json").document
    assert (again["new"], again["known"], len(again["not_taken"])) == ({}, 3, 5)
    written = (campaign.parent / "campaign.verdicts" / "bob.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in written] == ["mark", "mark", "undo"]
    assert str(tmp_path) not in (campaign.parent / "campaign.verdicts" / "bob.jsonl").read_text("utf-8")


def test_nothing_usable_is_sent_back(campaign: Path, tmp_path: Path) -> None:
    assert call("review", campaign, "--take-in", tmp_path / "none.jsonl").code == 2
    (tmp_path / "photo.jpg").write_bytes(os.urandom(200_000))
    ended = call("review", campaign, "--take-in", tmp_path / "photo.jpg")
    assert (ended.code, "Nothing new" in ended.out) == (2, True)
