// The bar below: the same for the mouse, for fingers and for the keyboard.

let isLoud = false;

async function playOrPause() {
  if (deck().playing) return deck().pause();
  await enliven();
  return deck().play();
}

async function stepFrames(by) {
  await enliven();
  await deck().step(by);
  remember(true);
}

async function jump(share) {
  await enliven();
  await deck().seek(share * deck().seconds);
  remember(true);
}

function speedBy(by) {
  const at = SPEEDS.indexOf(deck().rate) + by;
  if (SPEEDS[at]) setSpeed(SPEEDS[at]);
}

function setSpeed(rate) {
  reel.speed(rate);
  screens.speed(rate);
  remember();
}

function markSpan() {
  deck().mark();
  const { span } = deck();
  say(!span ? "The whole clip again" : span[1] === Infinity ? "The span begins here; press again where it ends" : "The span repeats; press again for the whole");
  if (span && span[1] !== Infinity && !deck().playing) playOrPause();
  remember(true);
}

function toggleSound() {
  isLoud = !isLoud;
  screens.clips.forEach((_, video) => { video.muted = !isLoud; });
  updateTransport();
}

function updateTransport() {
  const { playing, rate, span, seconds: length, fps } = deck();
  const now = Math.min(deck().now(), length);
  const isReel = deck() === reel;
  byId("play").firstElementChild.firstElementChild.setAttribute("href", playing ? "#icon-pause" : "#icon-play");
  byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  byId("speed").value = rate;
  byId("loop").setAttribute("aria-pressed", String(Boolean(span)));
  byId("sound").setAttribute("aria-pressed", String(isLoud));
  byId("sound").hidden = byId("full").hidden = isReel;
  byId("seconds").textContent = length ? `${now.toFixed(2)} s` : "";
  byId("frame").textContent = length ? `f ${Math.floor(now * fps + 1e-6)}` : "";
  const timeline = byId("timeline");
  timeline.value = length ? (now / length) * 1000 : 0;
  timeline.setAttribute("aria-valuetext", `${now.toFixed(2)} seconds`);
  const share = (time) => `${length ? (Math.min(time, length) / length) * 100 : 0}%`;
  timeline.style.setProperty("--from", share(span ? span[0] : 0));
  timeline.style.setProperty("--to", share(span ? span[1] : 0));
  if (isReel && isLive) follow(now);
}

// Before clips are loaded, sprites show what the timeline means; a sheet of them costs next to nothing.
function dragTimeline() {
  const share = byId("timeline").value / 1000;
  if (deck() === reel && !isLive) onScreen.forEach((cell) => scrub(cell, share));
  else deck().seek(share * deck().seconds);
}

byId("timeline").addEventListener("input", dragTimeline);
byId("timeline").addEventListener("change", async () => {
  const share = byId("timeline").value / 1000;
  await enliven();
  await deck().seek(share * deck().seconds);
  remember(true);
});
options(byId("speed"), SPEEDS.map((rate) => [rate, `${rate}×`]), "");
byId("speed").firstChild.remove();
byId("speed").addEventListener("change", ({ target }) => setSpeed(Number(target.value)));
for (const [id, run] of [
  ["play", playOrPause], ["back", () => stepFrames(-1)], ["on", () => stepFrames(1)], ["loop", markSpan], ["loupe", nextZoom],
  ["source", () => showSource(!isSourceShown)], ["difference", () => comparePair("difference")], ["wipe", () => comparePair("wipe")],
  ["sound", toggleSound], ["full", fullScreen],
]) byId(id).addEventListener("click", run);

inAddress(
  () => {
    const { rate, span, time } = deck();
    return [
      ...(rate === 1 ? [] : [["speed", rate]]),
      ...(span && span[1] !== Infinity ? [["span", span.map((each) => each.toFixed(3)).join("-")]] : []),
      ...(time ? [["time", time.toFixed(3)]] : []),
    ];
  },
  (all) => {
    const rate = Number(all("speed")[0] ?? 1);
    const span = (all("span")[0] ?? "").split("-").map(Number);
    const time = Number(all("time")[0] ?? 0);
    for (const each of [reel, screens]) {
      each.span = span.length === 2 && span[1] > span[0] ? span : null;
      each.time = time > 0 ? time : 0;
    }
    reel.speed(SPEEDS.includes(rate) ? rate : 1);
    screens.speed(reel.rate);
  },
);
