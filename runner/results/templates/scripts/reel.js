// The clips of the sheet in step. Only what is on the screen is loaded, and not before somebody wants to see it move.

// So many clips a browser decodes at once; what is beyond that moves in the frames of its sprite.
const MOST = 36;
// Originals are larger: so many at once. Beyond that the loupe is over small copies.
const MOST_ORIGINALS = 16;
const onScreen = new Set();
const mounted = new Map();
const sources = new WeakMap();
const reel = new Deck(() => updateTransport());
let isLive = false;

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) onScreen.add(target);
    else {
      onScreen.delete(target);
      unmount(target);
    }
  }
  mountVisible();
}, { threshold: 0.2 });

// Cells on the screen in the order of the page.
function visible() {
  return [...onScreen].filter((cell) => cell.isConnected)
    .sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
}

function isMoving(cell) {
  return isPlayable(jobIn(cell)) && !flashes(jobIn(cell));
}

function mountVisible() {
  if (!isLive || view.open) return Promise.resolve();
  return Promise.all(visible().filter(isMoving).slice(0, MOST).map(mount));
}

function mount(cell, at) {
  const job = jobIn(cell), wanted = sourcesOf(job, loupe.zoom > 1 && at < MOST_ORIGINALS);
  if (mounted.has(cell)) return exchange(mounted.get(cell), wanted);
  const video = makeVideo(job, wanted);
  mounted.set(cell, video);
  video.addEventListener("loadeddata", () => unscrub(cell), { once: true });
  cell.querySelector(".fit").append(video);
  return reel.add(video, job.video);
}

function makeVideo(job, wanted, failed) {
  const video = element("video", { className: "clip", muted: true, playsInline: true, preload: "auto", disableRemotePlayback: true });
  video.setAttribute("aria-label", `Clip of ${job.key}`);
  if (job.still) video.poster = job.still;
  return sourced(video, job, wanted, failed);
}

// A video with its sources. `failed` is called where none of them is played.
function sourced(video, job, wanted, failed) {
  video.addEventListener("error", () => {
    const [missed, ...others] = sources.get(video);
    if (missed === job.small && others.length) job.small = null;
    if (others.length) load(video, others);
    else failed?.();
  });
  load(video, wanted);
  return video;
}

function load(video, wanted) {
  sources.set(video, wanted);
  const holder = [reel, screens].find(({ clips }) => clips.has(video));
  if (holder) return holder.reload(video, wanted[0]);
  video.src = wanted[0];
  return undefined;
}

// Other sources for a clip; those that failed before are not tried again.
function exchange(video, wanted) {
  const own = sources.get(video);
  return own[0] === wanted[0] || own.length < wanted.length ? undefined : load(video, wanted);
}

function unmount(cell) {
  const video = mounted.get(cell);
  if (!video) return;
  mounted.delete(cell);
  reel.remove(video);
  drop(video);
}

// Without a source, the browser frees the decoder at once instead of at its next garbage collection.
function drop(video) {
  video.pause();
  video.removeAttribute("src");
  video.load();
  video.remove();
}

// Load what is on the screen, for playing and stepping.
function enliven() {
  if (deck() !== reel) return Promise.resolve();
  isLive = true;
  onScreen.forEach(unscrub);
  const moving = visible().filter(isMoving);
  if (!moving.length) say("There is no clip on the screen that plays");
  else if (moving.length > MOST) say(`${MOST} of ${moving.length} clips play; the others show 24 frames each`);
  return mountVisible();
}

// Cells without a clip of their own follow in the frames of their sprites.
function follow(time) {
  for (const cell of onScreen) {
    const { sprite, video } = jobIn(cell);
    if (sprite && video?.seconds && !mounted.has(cell)) scrub(cell, time / video.seconds);
  }
}
