"""What the page does in a real browser, as figures. The scripts run in the page; they see only what a person sees."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Protocol

from PIL import Image

from tests.browser.sweeps import FPS, number_in

FRAME_MS = 1000 / FPS
# Three images by three prompts, and all sixteen.
NINE = "#image=boot&image=shoe&image=bag&prompt_id=plain&prompt_id=mood&prompt_id=ad&columns=prompt_id"
SIXTEEN = "#columns=prompt_id"
COMMON = """
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const until = async (test) => {
  for (const began = performance.now(); !test(); await frame()) {
    if (performance.now() - began > 20000) throw new Error(`never: ${test}`);
  }
};
const key = (name) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
const clips = () => [...document.querySelectorAll("#cards .clip")];
const boxOf = (video) => {
  const { x, y, width, height } = video.getBoundingClientRect();
  return [x, y, width, height];
};
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const drawn = (video) => {
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
  return totalVideoFrames - droppedVideoFrames;
};
// How many frames of each clip came on the screen.
const watch = () => {
  window.seen = new Map();
  for (const video of clips()) {
    const look = () => {
      seen.set(video, (seen.get(video) ?? 0) + 1);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
};
"""
USABLE = """
await until(() => document.querySelector(".row .cell"));
await until(() => [...document.querySelectorAll(".row:first-of-type img, .row:nth-of-type(2) img")].slice(0, 3)
  .every((image) => image.complete && image.naturalWidth));
const first = performance.now();
[...document.querySelectorAll(".chip")].find((chip) => chip.textContent.startsWith("mood")).click();
await frame(); await frame();
return [first, performance.now()];
"""
PLAY = """
await until(() => document.querySelectorAll(".row .cell").length >= COUNT);
await frame(); await frame();
key(" ");
await until(() => clips().length === COUNT && clips().every((video) => video.currentTime > 0.02));
window.clocks = [];
window.looking = setInterval(() => {
  const times = clips().map((video) => video.currentTime);
  clocks.push((Math.max(...times) - Math.min(...times)) * 1000);
}, 100);
return clips().map(boxOf);
"""
PLAYED = """
await sleep(5000);
clearInterval(looking);
key(" ");
return clocks;
"""
RATES = """
const before = clips().map(drawn);
await sleep(4000);
const rates = clips().map((video, at) => (drawn(video) - before[at]) / 4);
key(" ");
return rates;
"""
STEP = """
const numbers = () => clips().map((video) => (video.seeking ? -1 : Math.floor(video.currentTime * FPS)));
if (!window.seen) {
  await until(() => document.querySelectorAll(".row .cell").length >= 9);
  await frame(); await frame();
  key("1");
  await until(() => clips().length === 9 && clips().every((video) => video.readyState >= 2 && !video.seeking));
  await sleep(500);
  watch();
}
const box = clips().map(boxOf);
if (WANTED === null) return { box, frame: Number(document.getElementById("frame").textContent.slice(2)) };
const began = performance.now(), before = new Map(seen);
key("ArrowRight");
const isThere = () => numbers().every((number) => number === WANTED)
  && clips().every((video) => seen.get(video) > (before.get(video) ?? 0));
while (!isThere() && performance.now() - began < 4000) await frame();
return { took: performance.now() - began, numbers: numbers(), box };
"""


class Browser(Protocol):
    """What a measure needs of a browser."""

    def open(self, url: str) -> None: ...
    def run(self, body: str) -> object: ...
    def screenshot(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `limit` is what it must not exceed, or must reach where it says so."""

    what: str
    value: str
    limit: str


def usable(browser: Browser, page: str) -> Figure:
    runs = []
    for _ in range(3):
        browser.open("about:blank")
        browser.open(page)
        runs.append(browser.run(COMMON + USABLE))
    first, both = (median(run[at] for run in runs) / 1000 for at in (0, 1))  # type: ignore[index]
    return Figure("1,000 clips: first row, then a filter", f"{first:.2f} s, {both:.2f} s", "2 s")


def in_step(browser: Browser, page: str) -> list[Figure]:
    """How far apart clips are that play: by their clocks, and by the frames in pictures of the screen."""
    _play(browser, page + NINE, 9)
    clocks = _list(browser.run(COMMON + PLAYED))
    # Pictures of the screen hold a browser up, so they are taken of another five seconds.
    boxes = _play(browser, page + NINE, 9)
    began, looks = perf_counter(), []
    while perf_counter() - began < 5:
        numbers = _numbers(browser, boxes)
        looks.append((max(numbers) - min(numbers)) * FRAME_MS)
    within = sum(look <= FRAME_MS for look in looks)
    return [
        Figure("9 clips play 5 s: largest spread of clocks", f"{max(clocks):.0f} ms", "42 ms"),
        Figure("the same on the screen", f"{max(looks):.0f} ms, {within} of {len(looks)} pictures in step", "42 ms"),
    ]


def frame_rate(browser: Browser, page: str) -> Figure:
    _play(browser, page + SIXTEEN, 16)
    rates = _list(browser.run(COMMON + RATES))
    return Figure("16 clips: frames a second, least and median", f"{min(rates):.1f}, {median(rates):.1f}", "20")


def _play(browser: Browser, page: str, count: int) -> list[Any]:
    browser.open("about:blank")
    browser.open(page)
    return _list(browser.run(COMMON + PLAY.replace("COUNT", str(count))))


def _numbers(browser: Browser, boxes: Iterable[Any]) -> list[int]:
    """The numbers of the frames that are on the screen."""
    picture = Image.open(io.BytesIO(browser.screenshot())).convert("RGB")
    return [number_in(picture, box) for box in boxes]


def _list(answer: object) -> list[Any]:
    assert isinstance(answer, list), answer
    return answer


def stepping(browser: Browser, page: str, steps: int = 100) -> list[Figure]:
    """Frame steps: told by the browser, and read from a picture of the screen."""
    browser.open("about:blank")
    browser.open(page + NINE)
    script = COMMON + STEP.replace("FPS", str(FPS))
    start = browser.run(script.replace("WANTED", "null"))
    assert isinstance(start, dict)
    times, told, seen = [], 0, 0
    for number in range(start["frame"] + 1, start["frame"] + steps + 1):
        step = browser.run(script.replace("WANTED", str(number)))
        assert isinstance(step, dict)
        times.append(step["took"])
        told += step["numbers"] == [number] * 9
        seen += _numbers(browser, step["box"]) == [number] * 9
    exact = f"{told} told, {seen} seen of {steps}"
    return [
        Figure("a frame on with 9 clips: exact", exact, "100"),
        Figure("a frame on with 9 clips: median, longest", f"{median(times):.0f} ms, {max(times):.0f} ms", "200 ms"),
    ]
