// A place of the matrix: the clip in front of a stack, its facts, and its sprite under the pointer.

const FRAMES = 24;
const stackIn = new WeakMap();
// Ids of jobs whose flashes somebody chose to see.
const allowed = new Set();

function jobIn(cell) {
  return jobs[frontOf(stackIn.get(cell))];
}

function flashes({ id, measures }) {
  return measures.flash >= 1 && !allowed.has(id);
}

function allow(job) {
  allowed.add(job.id);
  cells().filter((cell) => jobIn(cell) === job).forEach(fillCell);
}

// The files that a browser may play of a job, the best first: the small copy, or the original where one looks closely.
// What is gone or not played is followed by the next.
function sourcesOf({ clip, small }, isClose = loupe.zoom > 1) {
  const original = clip && !isGif(clip) ? clip : null;
  return (isClose ? [original, small] : [small, original]).filter(Boolean);
}

function isPlayable(job) {
  return sourcesOf(job).length > 0;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  svg.firstChild.setAttribute("href", `#icon-${name}`);
  return svg;
}

function makeCell(stack) {
  const cell = element("div", { className: "cell" });
  stackIn.set(cell, stack);
  fillCell(cell);
  return cell;
}

function fillCell(cell) {
  const stack = stackIn.get(cell), index = frontOf(stack), job = jobs[index];
  cell.dataset.id = job.id;
  cell.className = `cell ${job.status}`;
  cell.replaceChildren(picture(job), ...badge(job), foot(stack, job), caption(index));
  if (flashes(job)) cell.append(veil(job, () => { allow(job); mountVisible(); }));
  markChosen(cell);
}

function picture(job) {
  const frame = element("button", { type: "button", className: "frame", attributes: { "aria-haspopup": "dialog" } });
  frame.setAttribute("aria-label", `${job.key}, ${job.status}: open details`);
  if (job.still || job.clip) frame.append(fitted(job, still(job)));
  else frame.append(reason(job));
  return frame;
}

// A box of the clip's own shape, as large as fits.
function fitted(job, ...content) {
  const box = element("span", { className: "fit" }, ...content);
  box.style.setProperty("--ratio", ratioOf(job));
  return box;
}

// The thumbnail; without one, the first frame of the clip itself.
function still(job) {
  if (job.still) return element("img", { className: "still", loading: "lazy", decoding: "async", alt: "", src: job.still });
  if (!isPlayable(job)) return element("img", { className: "still", loading: "lazy", alt: "", src: job.clip });
  const video = element("video", { className: "still", muted: true, playsInline: true, preload: "metadata" });
  return sourced(video, job, sourcesOf(job, false).map((source) => `${source}#t=0.01`));
}

function reason({ status, note }) {
  return element("span", { className: `reason ${status}` }, element("b", {}, status), element("span", {}, note));
}

function veil({ measures }, show) {
  const made = button("veil", `Flashes: ${rounded(measures.flash)} in its worst second. Show it`, icon("warning"), show);
  made.append(element("span", {}, `Flashes, ${rounded(measures.flash)} in a second`), element("u", {}, "Show"));
  return made;
}

function foot(stack, job) {
  const made = element("div", { className: "foot" });
  if (stack.length > 1) made.append(turner(stack));
  if (job.clip && job.status !== "succeeded") made.append(element("span", { className: "flag" }, job.status));
  if (job.orphaned) made.append(element("span", { className: "flag", title: "no longer in the manifest" }, "removed"));
  if (job.is_gone) made.append(element("span", { className: "flag" }, "clip gone"));
  const held = [...new Set(Object.values(job.marks).map(({ mark }) => mark).filter(Boolean))];
  held.forEach((mark) => made.append(element("span", { className: `flag ${mark}` }, WORDS[mark])));
  made.append(element("span", { className: "end" }, ...facts(job)));
  if (isPlayable(job)) made.append(button("choose", "Choose for comparing (s)", icon("compare")));
  return made;
}

// Names of defects and warnings.
function faults({ defects, warnings }) {
  return [...new Set([...defects.map(({ measure }) => measure), ...warnings.map(({ code }) => code)])];
}

function badge(job) {
  const names = faults(job);
  return names.length ? [element("span", { className: "defects" }, icon("warning"), names.join(" "))] : [];
}

function facts({ video, price }) {
  return [video?.seconds && `${Number(video.seconds.toFixed(1))} s`, price].filter(Boolean).map((fact) => element("span", {}, fact));
}

function turner(stack) {
  const front = frontOf(stack), at = stack.indexOf(front) + 1;
  const behind = stack.filter((index) => index !== front && faults(jobs[index]).length).length;
  return element("span", { className: "turner" },
    button("turn", "The take before (shift and left)", icon("left")),
    element("span", { className: "place" }, `${at}/${stack.length}`),
    button("turn on", "The next take (shift and right)", icon("right")),
    ...(behind ? [warned(behind)] : []));
}

function warned(count) {
  const title = `Behind it, with defects or warnings: ${count}`;
  return element("span", { className: "behind", title, attributes: { role: "img", "aria-label": title } }, `+${count}`, icon("warning"));
}

function caption(index) {
  const lines = { figure: sortedBy(jobs[index]), values: captionOf(index), prompt: promptOf(jobs[index]) };
  const told = Object.entries(lines).filter(([, text]) => text);
  return element("div", { className: "caption" }, ...told.map(([className, text]) => element("p", { className, dir: "auto" }, text)));
}

function turnCell(cell, by) {
  const stack = stackIn.get(cell);
  if (stack.length < 2) return;
  const focused = [...cell.querySelectorAll("button")].indexOf(document.activeElement);
  unmount(cell);
  turn(stack, by);
  fillCell(cell);
  cell.querySelectorAll("button")[focused]?.focus();
  mountVisible();
}

// Show a clip at a share of its length: a frame of its sprite or, without one, of the clip itself.
function scrub(cell, share) {
  const job = jobIn(cell);
  if (flashes(job)) return;
  if (job.sprite) scrubSprite(cell, job.sprite, share);
  else if (isPlayable(job) && !mounted.has(cell)) scrubClip(cell, job, share);
}

function scrubSprite(cell, src, share) {
  let strip = cell.querySelector(".sprite");
  if (!strip) {
    strip = element("img", { className: "sprite", alt: "", src });
    cell.querySelector(".fit").append(strip);
  }
  const frame = Math.max(0, Math.min(Math.floor(share * FRAMES), FRAMES - 1));
  strip.style.transform = `translateX(${(-100 * frame) / FRAMES}%)`;
}

function scrubClip(cell, job, share) {
  let video = cell.querySelector(".scrubbed");
  if (!video) {
    video = makeVideo(job, sourcesOf(job, false));
    video.classList.add("scrubbed");
    cell.querySelector(".fit").append(video);
  }
  if (video.duration && !video.seeking) video.currentTime = Math.max(0, Math.min(share, 0.999)) * video.duration;
}

function unscrub(cell) {
  cell.querySelector(".sprite")?.remove();
  const video = cell.querySelector(".scrubbed");
  if (video) drop(video);
}
