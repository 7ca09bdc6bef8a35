"""Reviews in a real browser, served by the real command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from runner.review.clips.reviewed_clips import ReviewedClip
from tests.browser.chromium import BROWSER, DRIVER
from tests.browser.chromium import chromium as start_chromium
from tests.browser.conftest import fresh
from tests.browser.test_page import AXE, keys, wait
from tests.command import call, environment
from tests.finished_clips import clips_of, finished_campaign, let_flash
from tests.kit import EVERYTHING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

STATE = "document.body.dataset.state"
SHOWN = "[...document.querySelectorAll('.seat .clip')].map(({ src }) => src)"
REASONS = ["flicker", "label warped"]
PICTURES = [{"file": f"p{number}.jpg", "id": f"tundra{number}"} for number in range(5)]
# A minute of voting, or the beginning of it.
PAIRS = 60 if EVERYTHING else 24
ARMS = [{"id": "zebra", "text": "A slow push-in"}, {"id": "quokka", "text": "Fog, and an orbit to the left"}]


@dataclass(slots=True)
class Review:
    """A review that is served by a process of its own."""

    manifest: Path
    words: tuple[str, ...] = ()
    address: str = ""
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def lines(self) -> list[dict[str, Any]]:
        path = self.manifest.with_name(f"{self.manifest.stem}.verdicts") / "ann.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def start(self) -> None:
        command = (sys.executable, "-m", "runner", "review", str(self.manifest), "--as", "ann", "--json", *self.words)
        self.process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        document = ""
        while not document.endswith("}\n"):
            document += self.process.stdout.readline()
        self.address = json.loads(document)["address"]

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            self.process.communicate()


@contextmanager
def review(manifest: Path, *words: str) -> Iterator[Review]:
    started = Review(manifest, words)
    started.start()
    try:
        yield started
    finally:
        if started.process and started.process.poll() is None:
            started.signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five pictures by two arms, three takes of each."""
    folder = tmp_path_factory.mktemp("reviewed")
    return finished_campaign(
        folder, pictures=5, images=PICTURES, prompts=ARMS, takes=3, review={"reasons": REASONS, "question": "Which?"}
    )


# Asked within the page, which costs less than to ask it again and again.
UNTIL = f"""
const [before, done] = arguments;
const look = () => ({STATE} === 'shown' && {SHOWN}.join() !== before ? done({SHOWN}) : setTimeout(look, 10));
look();
"""


def ready(browser: Chrome) -> list[str]:
    """The names of the clips that are shown, as soon as one may judge them."""
    return following(browser, [])


def following(browser: Chrome, before: list[str]) -> list[str]:
    """The clips that are shown when those before no longer are."""
    browser.set_script_timeout(20)
    found: list[str] = browser.execute_async_script(UNTIL, ",".join(before))
    return found


# Notes of all clips, at the moment when they come into sight, whether they can play and are silent.
WATCH = """
window.sights = [];
new MutationObserver(() => {
  const clips = [...document.querySelectorAll('.seat .clip')].filter((clip) => !clip.isNoted);
  for (const clip of clips) clip.isNoted = true;
  if (clips.length) window.sights.push(clips.every((clip) => clip.readyState >= 3 && clip.muted));
}).observe(document, { childList: true, subtree: true });
"""


def everything(browser: Chrome) -> str:
    """What the page holds: its markup, its address, and what it keeps."""
    script = (
        "return [document.documentElement.outerHTML, location.href, JSON.stringify(localStorage),"
        " JSON.stringify(sessionStorage), document.cookie, JSON.stringify(history.state)].join('\\n')"
    )
    return str(browser.execute_script(script))


def traffic(browser: Chrome) -> str:
    """Every address, header and body that went to the server and came back."""
    told = []
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        parameters = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            told += [parameters["request"]["url"], parameters["request"].get("postData", "")]
        elif event["method"] == "Network.responseReceived":
            told += [f"{name}: {value}" for name, value in parameters["response"]["headers"].items()]
    return "\n".join(told)


def identifying(clips: tuple[ReviewedClip, ...]) -> re.Pattern[str]:
    """All that tells one clip from another."""
    words = {"zebra", "quokka", "take-"}
    for clip in clips:
        words |= {clip.job, clip.key, clip.image, clip.sha256, clip.path.name, str(clip.path.parent)}
    sizes = {str(clip.bytes) for clip in clips}
    return re.compile("|".join([*map(re.escape, sorted(words)), *(rf"\b{size}\b" for size in sorted(sizes))]))


def binomial(count: int, total: int) -> float:
    """Two-sided, against one half."""
    tail = sum(comb(total, k) for k in range(min(count, total - count) + 1)) / 2**total
    return min(1.0, 2 * tail)


def test_blind_pairs_by_keyboard_alone(chromium: Chrome, campaign: Path) -> None:
    clips = {clip.job: clip for clip in clips_of(campaign)}
    telling = identifying(tuple(clips.values()))
    pressed = [(Keys.ARROW_LEFT, "left"), (Keys.ARROW_RIGHT, "right"), ("t", "tie"), ("b", "both-bad")]
    with review(campaign) as served:
        watching = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        browser = fresh(chromium, served.address)
        shown = ready(browser)
        for number in range(PAIRS):
            before = shown
            assert telling.search(everything(browser)) is None
            key, winner = pressed[number % 4]
            keys(browser, *("1" * (number % 3 == 0)), key)
            shown = following(browser, before)
            # What was said of the pair before is on the disk.
            lines = served.lines
            assert (len(lines), lines[-1]["winner"]) == (number + 1, winner)
            assert lines[-1]["reasons"] == (["flicker"] if number % 3 == 0 else [])
            assert set(shown) != set(before)
        assert telling.search(traffic(browser)) is None
        assert "token=" not in browser.current_url
        sights = browser.execute_script("return window.sights")
        assert (len(sights) >= PAIRS, all(sights)) == (True, True)
        chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", watching)
    arms = [(clips[line["left"]].cell, clips[line["right"]].cell) for line in lines]
    crossed = [dict(left)["prompt"] == '"zebra"' for left, right in arms if left != right]
    assert 3 / 4 * PAIRS <= len(crossed) < PAIRS
    assert binomial(sum(crossed), len(crossed)) > 0.05
    assert all(line["blind"] and line["seconds"] >= 0.1 for line in lines)


def test_a_server_that_is_killed_or_stands_still_loses_no_vote(chromium: Chrome, tmp_path: Path) -> None:
    manifest = finished_campaign(tmp_path, pictures=2, takes=2)
    with review(manifest) as served:
        browser = fresh(chromium, served.address)
        first = ready(browser)
        served.signal(signal.SIGSTOP)
        keys(browser, Keys.ARROW_LEFT)
        wait(browser, f"{STATE} === 'sending'")
        # The next pair is not shown before the vote is on the disk.
        assert browser.execute_script(f"return {SHOWN}") == first
        served.signal(signal.SIGCONT)
        second = following(browser, first)
        assert [line["winner"] for line in served.lines] == ["left"]
        served.signal(signal.SIGKILL)
        keys(browser, Keys.ARROW_RIGHT)
        wait(browser, "document.querySelector('#saved').textContent.includes('does not answer')")
        assert browser.execute_script(f"return {SHOWN}") == second
        # Started again, it goes on at the same address, and the page sends what it kept.
        address = served.address
        served.start()
        assert served.address == address
        third = following(browser, second)
        assert [line["winner"] for line in served.lines] == ["left", "right"]
        assert browser.find_element(By.ID, "saved").text == ""
        # What was said before the end is taken back after it.
        keys(browser, "u")
        assert following(browser, third) == second
        assert [line["kind"] for line in served.lines] == ["pair", "pair", "undo"]
        served.signal(signal.SIGINT)
        assert served.process is not None
        assert served.process.returncode == 0
    assert [path.name for path in (tmp_path / "out").glob(".review*")] == []


def test_pick_reject_stars_and_the_best_of_takes(chromium: Chrome, tmp_path: Path) -> None:
    manifest = finished_campaign(tmp_path, pictures=1, takes=3)
    jobs = [clip.job for clip in clips_of(manifest)]
    let_flash(manifest, 0)
    with review(manifest, "--mode", "cull") as served:
        browser = fresh(chromium, served.address)
        # One that flashes is not shown unasked.
        wait(browser, "document.querySelector('#message button')")
        assert browser.execute_script(f"return {SHOWN}") == []
        keys(browser, Keys.ENTER)
        shown = ready(browser)
        for key in ("p", "x", "u", "4"):
            keys(browser, key)
            shown = following(browser, shown)
        said = [(line["job"], line.get("mark", line.get("stars"))) for line in served.lines]
        assert said == list(zip(jobs, ["pick", "reject", "none", 4], strict=False))
        keys(browser, Keys.ARROW_LEFT)
        following(browser, shown)
        assert browser.find_element(By.CSS_SELECTOR, ".letter").text.endswith("take-1 · ★★★★")
        # A note, at a frame.
        keys(browser, "n")
        keys(browser, "<b>odd</b>", Keys.ENTER)
        WebDriverWait(browser, 10).until(lambda _: served.lines[-1]["kind"] == "note")
        assert (served.lines[-1]["job"], served.lines[-1]["text"]) == (jobs[3], "<b>odd</b>")
        browser.get(served.address + "&mode=best")
        wait(browser, "document.querySelector('#message button')").click()  # type: ignore[attr-defined]
        group = ready(browser)
        assert len(group) == 3
        keys(browser, "2", "3", Keys.ENTER)
        following(browser, group)
        best = served.lines[-1]
        assert (best["kind"], set(best["of"])) == ("best", set(jobs[:3]))
        assert best["worst"] not in (best["best"], None)
        # The sheet shows what stands, and takes marks.
        browser.get(served.address + "&mode=sheet")
        wait(browser, "document.querySelector('.cell')")
        browser.find_elements(By.CSS_SELECTOR, ".frame")[1].click()
        wait(browser, "document.querySelector('.view .clip')?.readyState >= 2")
        keys(browser, "x")
        pressed = "document.querySelector('.marker [aria-pressed=true]')?.textContent"
        wait(browser, f"{pressed} === 'Reject'")
        assert (served.lines[-1]["job"], served.lines[-1]["mark"]) == (jobs[3], "reject")
        keys(browser, Keys.ESCAPE)
        assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".flag")] == ["picked", "rejected"]
        assert "token=" not in browser.current_url
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_round_trip_without_a_server(campaign: Path, tmp_path: Path) -> None:
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs chromium")
    clips = clips_of(campaign)
    page = tmp_path / "for bob # 1"
    document = call("review", campaign, "--page", page, "--json").document
    assert (document["clips"], document["tasks"] > 60) == (30, True)
    assert len({path.stat().st_size for path in (page / "clips").iterdir()}) <= 5
    assert identifying(clips).search((page / "index.html").read_text("utf-8")) is None
    with start_chromium(tmp_path / "another profile") as browser:
        parameters = {"behavior": "allow", "downloadPath": str(tmp_path)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", parameters)
        browser.get((page / "index.html").as_uri())
        wait(browser, "document.querySelector('#who').open")
        keys(browser, "bob", Keys.ENTER)
        for key in (Keys.ARROW_LEFT, "t"):
            before = ready(browser)
            keys(browser, key)
            following(browser, before)
        # Opened again, it goes on.
        browser.get((page / "index.html").as_uri())
        before = ready(browser)
        assert browser.find_element(By.ID, "place").text.startswith("2 judged")
        keys(browser, "u")
        following(browser, before)
        keys(browser, "b")
        assert following(browser, before[::-1]) == before
        assert identifying(clips).search(everything(browser) + traffic(browser)) is None
        browser.find_element(By.ID, "save").click()
        saved = tmp_path / f"verdicts-{document['page']}-bob.jsonl"
        until(saved.exists)
    for new in ({"bob": 4}, {}):
        taken = call("review", campaign, "--take-in", saved, "--json").document
        assert taken == {"new": new, "known": 4 - sum(new.values()), "not_taken": []}
    written = campaign.with_name("campaign.verdicts") / "bob.jsonl"
    lines = [json.loads(line) for line in written.read_text("utf-8").splitlines()]
    assert [line.get("winner", line["kind"]) for line in lines] == ["left", "tie", "undo", "both-bad"]
    assert {lines[0]["left"], lines[0]["right"]} <= {clip.job for clip in clips}
    assert (lines[1]["left"], lines[1]["right"]) == (lines[3]["left"], lines[3]["right"])


@pytest.mark.skipif(AXE is None, reason="needs axe-core (REELRUN_AXE)")
def test_axe_finds_nothing_serious_in_a_review(chromium: Chrome, campaign: Path) -> None:
    with review(campaign) as served:
        for mode in ("pairs", "best", "cull"):
            browser = fresh(chromium, f"{served.address}&mode={mode}")
            ready(browser)
            browser.execute_script(Path(str(AXE)).read_text(encoding="utf-8"))
            found = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
            assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)
