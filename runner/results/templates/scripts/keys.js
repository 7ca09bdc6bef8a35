// The keys of this page.

const tenths = Object.fromEntries([..."0123456789"].map((digit) => [digit, Number(digit) / 10]));
bind({ " ": 0 }, "space", "play or pause", playOrPause);
bind({ ArrowLeft: -1, ArrowRight: 1 }, "← →", "one frame back or on", stepFrames);
bind({ "[": -1, "]": 1 }, "[ ]", "slower or faster", speedBy);
bind(tenths, "0–9", "jump to a tenth of the clip", jump);
bind({ l: 0 }, "l", "begin a span, end it so that it repeats, leave it", markSpan);
bind({ "Shift+ArrowLeft": -1, "Shift+ArrowRight": 1 }, "shift ← →", "another take; in the larger view, another clip", sideways);
bind({ ArrowUp: -1, ArrowDown: 1 }, "↑ ↓", "the clip above or below", (by) => !view.open && goVertical(by));
bind({ "Shift+ArrowUp": -1, "Shift+ArrowDown": 1 }, "shift ↑ ↓", "another value of what is stepped through", upward);
bind({ z: 0 }, "z", "loupe: 2, 4, 8 times, off; shift and arrows move it", nextZoom);
bind({ o: 0 }, "o", "hold: the source picture", () => showSource(true), () => showSource(false));
bind({ s: 0 }, "s", "choose a clip for comparing", () => currentIndex() !== null && !look && choose(currentIndex()));
bind({ d: "difference" }, "d", "difference of the two chosen clips", comparePair);
bind({ w: "wipe" }, "w", "wipe between the two chosen clips", comparePair);
bind({ c: 0 }, "c", "copy the prompt", () => currentIndex() !== null && copy(promptOf(jobs[currentIndex()]), "Prompt"));
bind({ m: 0 }, "m", "sound on or off, in the larger view", () => view.open && toggleSound());
bind({ f: 0 }, "f", "full screen, in the larger view", fullScreen);
bind({ p: "pick", x: "reject", u: "none" }, "p x u", "pick, reject, neither, on a page that a review serves", markCurrent);
bind({ "/": 0 }, "/", "search", startSearch);
bind({ "?": 0 }, "?", "these keys", showHelp);

function startSearch() {
  if (view.open) return false;
  fold(false);
  search.focus();
  return true;
}

function sideways(by) {
  if (loupe.zoom > 1) aimLoupe(loupe.x + by * 0.1, loupe.y);
  else if (view.open) go(by);
  else if (current) turnCell(current, by);
}

function upward(by) {
  if (loupe.zoom > 1) aimLoupe(loupe.x, loupe.y + by * 0.1);
  else if (!view.open) stepBy(by);
}

addEventListener("blur", () => showSource(false));
byId("single-keys").addEventListener("change", ({ target }) => { areOn = target.checked; remember(); });

inAddress(
  () => (areOn ? [] : [["keys", "off"]]),
  (all) => {
    areOn = all("keys")[0] !== "off";
    byId("single-keys").checked = areOn;
  },
);
