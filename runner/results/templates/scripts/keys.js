// The keys. A key is a line here; a mode brings its own with bind(), and the help shows them all.

const bindings = [];
let areOn = true;

// `keys`: values of KeyboardEvent.key, with "Shift+" before where it is held; `shown`: how the help writes them.
function bind(keys, shown, does, run, release = null) {
  bindings.push({ keys, shown, does, run, release });
}

bind([" "], "space", "play or pause", playOrPause);
bind(["ArrowLeft"], "←", "one frame back", () => stepFrames(-1));
bind(["ArrowRight"], "→", "one frame on", () => stepFrames(1));
bind(["["], "[", "slower", () => speedBy(-1));
bind(["]"], "]", "faster", () => speedBy(1));
bind([..."0123456789"], "0–9", "jump to a tenth of the clip", (key) => jump(Number(key) / 10));
bind(["l"], "l", "begin, end and leave a span that repeats", markSpan);
bind(["Shift+ArrowLeft"], "shift ←", "the take before; the clip before in the larger view; with the loupe: move it", () => sideways(-1));
bind(["Shift+ArrowRight"], "shift →", "the next one", () => sideways(1));
bind(["ArrowUp"], "↑", "the clip above", () => !view.open && goVertical(-1));
bind(["ArrowDown"], "↓", "the clip below", () => !view.open && goVertical(1));
bind(["Shift+ArrowUp"], "shift ↑", "the value before of what is stepped through", () => upward(-1));
bind(["Shift+ArrowDown"], "shift ↓", "the next value", () => upward(1));
bind(["z"], "z", "loupe: 2, 4, 8 times, off", nextZoom);
bind(["o"], "o", "hold: the source picture", () => showSource(true), () => showSource(false));
bind(["s"], "s", "choose a clip for comparing", () => currentIndex() !== null && !look && choose(currentIndex()));
bind(["d"], "d", "difference of the two chosen clips", () => comparePair("difference"));
bind(["w"], "w", "wipe between the two chosen clips", () => comparePair("wipe"));
bind(["c"], "c", "copy the prompt", () => currentIndex() !== null && copy(promptOf(jobs[currentIndex()]), "Prompt"));
bind(["m"], "m", "sound on or off, in the larger view", () => view.open && toggleSound());
bind(["f"], "f", "full screen, in the larger view", fullScreen);
bind(["/"], "/", "search", () => { fold(false); search.focus(); });
bind(["?"], "?", "these keys", showHelp);

function sideways(by) {
  if (loupe.zoom > 1) aimLoupe(loupe.x + by * 0.1, loupe.y);
  else if (view.open) go(by);
  else if (current) turnCell(current, by);
}

function upward(by) {
  if (loupe.zoom > 1) aimLoupe(loupe.x, loupe.y + by * 0.1);
  else if (!view.open) stepBy(by);
}

const help = byId("help");

function showHelp() {
  byId("help-keys").replaceChildren(...bindings.map(({ shown: keys, does }) =>
    element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, does))));
  help.showModal();
}

// Elements that need these keys themselves keep them.
function isTaken({ target, key }) {
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (target.matches("input:not([type=checkbox]), select, textarea")) return true;
  return key === " " && target.matches("button:not(.frame), summary, a, input");
}

function bindingOf({ key, shiftKey }) {
  const name = key.startsWith("Arrow") && shiftKey ? `Shift+${key}` : key.length === 1 ? key.toLowerCase() : key;
  return bindings.find(({ keys }) => keys.includes(name));
}

document.addEventListener("keydown", (event) => {
  if (!areOn || help.open || event.altKey || event.ctrlKey || event.metaKey || isTaken(event)) return;
  const binding = bindingOf(event);
  if (!binding || (event.repeat && !event.key.startsWith("Arrow"))) return;
  if (binding.run(event.key) !== false) event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  bindingOf(event)?.release?.();
  // A button acts when the space bar is let go.
  if (event.key === " " && event.target.matches?.(".frame")) event.preventDefault();
});
addEventListener("blur", () => showSource(false));
byId("ask").addEventListener("click", showHelp);
byId("help-close").addEventListener("click", () => help.close());
byId("single-keys").addEventListener("change", ({ target }) => { areOn = target.checked; remember(); });

inAddress(
  () => (areOn ? [] : [["keys", "off"]]),
  (all) => {
    areOn = all("keys")[0] !== "off";
    byId("single-keys").checked = areOn;
  },
);
