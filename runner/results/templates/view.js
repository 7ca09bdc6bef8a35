// The larger view of one job, with everything that the index knows about it.

const view = byId("view");
let viewed = null;

function rows(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...known.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", { dir: "auto" }, value instanceof Node ? value : plain(value)))));
}

function section(title, content) {
  return element("section", {}, element("h3", {}, title), content);
}

// Hashes and ids are for comparing and copying, so they are shown as code.
function code(text) {
  return text && element("code", {}, text);
}

function paragraph(text) {
  return element("p", { className: "text", dir: "auto" }, text);
}

function stage({ clip, still, key, status, note, video: made }) {
  if (!clip) return element("p", { className: `reason ${status}` }, element("b", {}, status), element("span", {}, note));
  const video = isGif(clip) ? element("img") : element("video", { controls: true, muted: true, loop: true, playsInline: true });
  if (still && !isGif(clip)) video.poster = still;
  // Not every browser plays every kind of file.
  video.addEventListener("error", () => video.replaceWith(unplayed(clip, made.path)));
  if (made.width && made.height) video.style.setProperty("--frame", made.width / made.height);
  video.setAttribute("aria-label", `Clip of ${key}`);
  video.autoplay = !calm.matches;
  video.src = clip;
  return video;
}

function unplayed(clip, path) {
  return element("p", { className: "reason" }, element("b", {}, "not played here"), element("a", { href: clip }, path));
}

function clock(time) {
  return time && time.replace("T", " ").replace("Z", " UTC");
}

function size(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function outcome({ reason, error }) {
  return rows([["reason", reason], ["error", error]]);
}

function request(job) {
  return rows([
    ["model", job.model], ["picture", code(job.payload.image)], ["take", job.take],
    ["request id", code(job.request_id)], ["job id", code(job.id)], ["attempts", job.attempts],
    ["submitted", clock(job.submitted_at)], ["finished", clock(job.finished_at)], ["cost", job.price],
  ]);
}

function file({ video, clip }) {
  const made = rows([
    ["length", video.seconds === null ? null : `${video.seconds} s`],
    ["picture", video.width && `${video.width} × ${video.height}`],
    ["frames", video.fps && `${video.fps} a second`],
    ["codec", video.codec], ["size", size(video.bytes)], ["sha256", code(video.sha256)],
  ]);
  const path = code(video.path);
  made.prepend(element("div", {}, element("dt", {}, "file"), element("dd", {}, clip ? element("a", { href: clip }, path) : path)));
  return made;
}

function details(job) {
  const { image, prompt, negative_prompt: without, ...parameters } = job.payload;
  const parts = [
    (job.reason || job.error) && section(job.status === "succeeded" ? "Note" : "Why", outcome(job)),
    prompt && section("Prompt", paragraph(plain(prompt))),
    without && section("Negative prompt", paragraph(plain(without))),
    section("Variables", rows([["image", job.image], ["prompt", job.prompt_id],
      ...Object.entries(job.variables), ...Object.entries(job.image_vars)])),
    Object.keys(parameters).length && section("Parameters", rows(Object.entries(parameters))),
    section("Request", request(job)),
    job.video && section("Clip", file(job)),
    job.aliases.length && section("The same request in", element("ul", {}, ...job.aliases.map((key) => element("li", {}, key)))),
  ];
  return parts.filter(Boolean);
}

function show(index) {
  stop();
  viewed = index;
  const job = jobs[index];
  const place = shown.indexOf(index);
  byId("view-stage").replaceChildren(stage(job));
  byId("view-title").replaceChildren(...job.key.split(/(?<=[/,])/).flatMap((part) => [part, element("wbr")]));
  byId("view-status").textContent = job.orphaned ? `${job.status}, no longer in the manifest` : job.status;
  byId("view-status").className = `status ${job.status}`;
  byId("view-body").replaceChildren(...details(job));
  byId("view-details").scrollTop = 0;
  byId("view-place").textContent = place < 0 ? "not among the shown" : `${place + 1} of ${shown.length}`;
  byId("previous").disabled = place < 1;
  byId("next").disabled = place < 0 || place === shown.length - 1;
  const opened = !view.open;
  if (opened) view.showModal();
  // Focus neither the clip, in which the arrow keys seek, nor a disabled button, which gets no keys.
  if (opened || !view.contains(document.activeElement) || document.activeElement.disabled) byId("view-title").focus();
  remember();
}

function turn(by) {
  const place = shown.indexOf(viewed);
  const next = place < 0 ? undefined : shown[place + by];
  if (next !== undefined) show(next);
}

view.addEventListener("close", () => {
  byId("view-stage").replaceChildren();
  const frame = cards[viewed]?.querySelector(".frame");
  viewed = null;
  remember();
  frame?.focus({ preventScroll: true });
  frame?.scrollIntoView({ block: "nearest" });
});
view.addEventListener("click", ({ target }) => { if (target === view) view.close(); });
view.addEventListener("keydown", (event) => {
  // In the clip's own controls the arrow keys seek.
  if (event.target.tagName === "VIDEO" || event.altKey || event.ctrlKey || event.metaKey) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) turn(by);
});
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
byId("close").addEventListener("click", () => view.close());
document.querySelector(".skip").addEventListener("click", (event) => {
  // Do not follow the link: the fragment of the address belongs to the filters.
  event.preventDefault();
  byId("sheet").focus();
});
addEventListener("hashchange", recall);
recall();
