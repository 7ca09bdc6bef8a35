// The stage: clips side by side, in step. None is shown before all of them can play.

const { mode, reasons, by: reviewer, parcel } = JSON.parse(byId("data").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const deck = new Deck(() => updateTransport());
// Clips that were loaded ahead, by name; and those that are on the stage.
const loaded = new Map();
let screens = [];
let isLoud = false;
// When the clips were shown.
let shownAt = 0;
let turn = 0;
// A key that was pressed for the pair before is no answer to this one.
const BREATH = 100;

// loading, shown, sending, or done: answers are taken of what is shown.
function enter(state) {
  document.body.dataset.state = state;
  byId("table").setAttribute("aria-busy", String(state === "loading"));
}

// A key that is held down answers once.
let isHeld = false;
addEventListener("keydown", ({ repeat }) => { isHeld = repeat; }, true);
addEventListener("keyup", () => { isHeld = false; }, true);

const isIn = (state) => document.body.dataset.state === state;

// A page from the disk has its clips beside it; a server gives them out by name alone.
const addressOf = ({ name, ending = "" }) => (parcel ? `./clips/${name}${ending}` : `clips/${name}`);

function makeScreen(clip) {
  const node = clip.is_still
    ? element("img", { className: "clip", alt: "", src: addressOf(clip) })
    : element("video", { className: "clip", muted: true, playsInline: true, preload: "auto", src: addressOf(clip), disableRemotePlayback: true });
  const made = { clip, node, isBroken: false };
  made.ready = new Promise((resolve) => {
    node.addEventListener(clip.is_still ? "load" : "canplaythrough", resolve, { once: true });
    node.addEventListener("error", () => { made.isBroken = true; resolve(); }, { once: true });
  });
  return made;
}

function load(clip) {
  if (!loaded.has(clip.name)) loaded.set(clip.name, makeScreen(clip));
  return loaded.get(clip.name);
}

// Without a source, the browser frees the decoder at once.
function unload({ clip, node }) {
  loaded.delete(clip.name);
  deck.remove(node);
  node.removeAttribute("src");
  node.load?.();
  node.remove();
}

// Show these clips as soon as all of them are ready, each under its label; then load those that come next.
async function stage(clips, labels, ahead = []) {
  const mine = ++turn;
  enter("loading");
  const wanted = clips.map(load);
  const kept = new Set([...clips, ...ahead].map(({ name }) => name));
  [...loaded.values()].filter(({ clip }) => !kept.has(clip.name)).forEach(unload);
  [...deck.clips.keys()].forEach((video) => deck.remove(video));
  await Promise.all(wanted.map(({ ready }) => ready));
  if (clips.some(({ flashes }) => flashes)) await agreed();
  if (mine !== turn) return false;
  deck.time = 0;
  screens = wanted;
  byId("message").hidden = true;
  byId("screens").replaceChildren(...wanted.map((screen, at) => frame(screen, labels[at])));
  arrange();
  const videos = wanted.filter(({ clip, isBroken }) => !clip.is_still && !isBroken);
  await Promise.all(videos.map(({ clip, node }) => deck.add(node, { fps: clip.fps, seconds: node.duration })));
  if (mine !== turn) return false;
  byId("table").setAttribute("aria-busy", "false");
  shownAt = performance.now();
  setLoud(isLoud);
  if (!calm.matches) deck.play();
  updateTransport();
  ahead.forEach(load);
  await after(BREATH);
  if (mine !== turn) return false;
  enter("shown");
  return true;
}

// Who may be harmed by flashes decides before they see any.
async function agreed() {
  const show = element("button", { type: "button", className: "answer" }, "Show it");
  byId("message").replaceChildren(element("p", {}, element("b", {}, "This flashes.")), show);
  byId("message").hidden = false;
  show.focus();
  await once(show, "click");
}

// In as many columns as make the clips largest. Two below each other are not left and right.
function arrange() {
  const { clientWidth: width, clientHeight: height } = byId("screens");
  const { node } = screens[0] ?? {};
  if (!node) return;
  const ratio = (node.videoWidth ?? node.naturalWidth) / (node.videoHeight ?? node.naturalHeight) || 16 / 9;
  const sizes = screens.map((_, at) => Math.min(width / (at + 1), (height / Math.ceil(screens.length / (at + 1))) * ratio));
  const columns = sizes.indexOf(Math.max(...sizes)) + 1;
  byId("screens").style.setProperty("--columns", columns);
  document.body.classList.toggle("stacked", screens.length === 2 && columns === 1);
}
addEventListener("resize", arrange);

function frame({ node, isBroken }, label) {
  const shown = isBroken ? element("p", { className: "message" }, "This browser does not play this clip") : node;
  return element("figure", { className: "seat" }, element("figcaption", { className: "letter" }, label), shown);
}

// Instead of clips: that all is done, or why nothing can be shown.
function announce(title, ...more) {
  turn += 1;
  enter("done");
  [...loaded.values()].forEach(unload);
  screens = [];
  byId("screens").replaceChildren();
  byId("message").replaceChildren(element("p", {}, element("b", {}, title)), ...more.map((text) => element("p", {}, text)));
  byId("message").hidden = false;
  updateTransport();
}

const areBroken = () => screens.some(({ isBroken }) => isBroken);

function playOrPause() {
  if (deck.playing) deck.pause();
  else deck.play();
}

function setLoud(loud) {
  isLoud = loud;
  // Of several clips at once nothing is heard: the sound is that of the first.
  [...deck.clips.keys()].forEach((video, at) => { video.muted = !loud || at > 0; });
  byId("sound").setAttribute("aria-pressed", String(loud));
}

function updateTransport() {
  const { playing, seconds } = deck;
  const now = Math.min(deck.now(), seconds);
  byId("play").firstElementChild.firstElementChild.setAttribute("href", playing ? "#icon-pause" : "#icon-play");
  byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  byId("timeline").value = seconds ? (now / seconds) * 1000 : 0;
  byId("time").textContent = seconds ? `${now.toFixed(2)} s · f ${deck.frame}` : "";
  byId("transport").classList.toggle("idle", !seconds);
}

function speedBy(by) {
  const at = SPEEDS.indexOf(deck.rate) + by;
  if (!SPEEDS[at]) return;
  deck.speed(SPEEDS[at]);
  say(`${SPEEDS[at]}×`);
}

byId("timeline").addEventListener("input", () => deck.seek((byId("timeline").value / 1000) * deck.seconds));
onPress(byId("play"), playOrPause);
onPress(byId("back"), () => deck.step(-1));
onPress(byId("on"), () => deck.step(1));
onPress(byId("sound"), () => setLoud(!isLoud));

// After a finger or the mouse, the keys are the page's again.
function onPress(pressed, run) {
  pressed.addEventListener("click", ({ detail }) => {
    if (detail) pressed.blur();
    run();
  });
}

// The answers of a mode, as buttons with their keys: `[key, label, run]`.
function offer(answers) {
  byId("answers").replaceChildren(...answers.map(([shown, label, run, extra = ""]) => {
    const made = element("button", { type: "button", className: `answer ${extra}` }, label, " ");
    made.append(element("kbd", { attributes: { "aria-hidden": "true" } }, shown));
    onPress(made, run);
    return made;
  }));
}

// Ways through what is shown, and back: by keys and by buttons.
function allowUndo(keys, shown, run) {
  bind(keys, shown, "take the last answer back", run);
  onPress(byId("undo"), run);
}

function allowSteps(does, run) {
  bind({ ArrowLeft: -1, ArrowRight: 1 }, "← →", does, run);
  for (const [id, by] of [["before", -1], ["after", 1]]) {
    byId(id).hidden = false;
    onPress(byId(id), () => run(by));
  }
}
