// The larger view: one job or two, with everything that is known about them on demand.

const view = byId("view");
const screens = new Deck(() => updateTransport());
let viewed = null;

// The clips that the keys are about.
function deck() {
  return view.open ? screens : reel;
}

// The job that the keys are about; null if there is none.
function currentIndex() {
  if (view.open) return viewed;
  return current?.isConnected ? frontOf(stackIn.get(current)) : null;
}

// Where nothing is given to play, it is a picture that moves. A letter tells two clips apart.
function screen(index, wanted, letter = "") {
  const job = jobs[index];
  const box = fitted(job);
  box.dataset.index = index;
  const made = element("div", { className: "screen" }, box);
  if (!job.clip) made.replaceChildren(reason(job));
  else if (flashes(job)) box.append(veil(job, () => { allow(job); made.replaceWith(screen(index, wanted, letter)); playStage(); }));
  else if (!wanted.length) box.append(element("img", { src: job.clip, alt: `Clip of ${job.key}` }));
  else {
    // Not every browser plays every kind of file.
    const video = makeVideo(job, wanted, () => made.replaceChildren(unplayed(job)));
    video.muted = !isLoud;
    box.append(video);
    screens.add(video, job.video);
  }
  if (letter) made.append(element("span", { className: "letter" }, letter));
  return made;
}

function unplayed({ clip, video }) {
  return element("p", { className: "reason" }, element("b", {}, "not played here"), element("a", { href: clip }, video.path));
}

// The transport serves the sheet and the larger view; what is outside a modal dialog cannot be reached.
function openView(label) {
  clearStage();
  view.setAttribute("aria-label", label);
  if (view.open) return;
  reel.pause();
  view.showModal();
  byId("view-transport").append(byId("transport"));
  byId("view-title").focus();
}

function clearStage() {
  [...screens.clips.keys()].forEach((video) => { screens.remove(video); drop(video); });
  byId("view-stage").replaceChildren();
  showSource(false);
  screens.time = 0;
  look = null;
  for (const each of ["difference", "wipe"]) byId(each).setAttribute("aria-pressed", "false");
  byId("view-place").parentElement.classList.remove("two");
}

function playStage() {
  if (!calm.matches && screens.clips.size) screens.play();
  updateTransport();
}

function show(index) {
  viewed = index;
  const job = jobs[index];
  const at = order.indexOf(index);
  openView(job.key);
  byId("view-stage").replaceChildren(element("div", { className: "screens" }, screen(index, sourcesOf(job, true))));
  byId("view-title").replaceChildren(...job.key.split(/(?<=[/,])/).flatMap((part) => [part, element("wbr")]));
  byId("view-status").textContent = job.orphaned ? `${job.status}, no longer in the manifest` : job.status;
  byId("view-status").className = `status ${job.status}`;
  byId("view-body").replaceChildren(...detailsOf(index));
  byId("view-details").scrollTop = 0;
  byId("view-place").textContent = at < 0 ? "not among the shown" : `${at + 1} of ${order.length}`;
  byId("previous").disabled = at < 1;
  byId("next").disabled = at < 0 || at === order.length - 1;
  // A disabled button gets no keys.
  if (!view.contains(document.activeElement) || document.activeElement.disabled) byId("view-title").focus();
  remember();
  playStage();
}

function go(by) {
  const at = order.indexOf(viewed);
  const next = at < 0 ? undefined : order[at + by];
  if (next !== undefined) show(next);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (view.open) byId("view-stage").requestFullscreen?.();
}

view.addEventListener("close", () => {
  const last = viewed ?? pair[0];
  clearStage();
  viewed = null;
  document.body.append(byId("transport"));
  remember();
  bring(last)?.querySelector(".frame").focus({ preventScroll: true });
  updateTransport();
});
view.addEventListener("click", ({ target }) => { if (target === view) view.close(); });
byId("previous").addEventListener("click", () => go(-1));
byId("next").addEventListener("click", () => go(1));
byId("close").addEventListener("click", () => view.close());
byId("view-stage").addEventListener("pointermove", (event) => {
  const box = loupe.zoom > 1 && event.pointerType === "mouse" && event.target.closest(".screen")?.querySelector(".fit");
  if (!box) return;
  const { left, top, width: wide, height } = box.getBoundingClientRect();
  aimLoupe((event.clientX - left) / wide, (event.clientY - top) / height);
});

inAddress(
  () => (viewed === null ? [] : [["job", jobs[viewed].id]]),
  (all) => {
    viewed = jobs.findIndex(({ id }) => id === all("job").at(-1));
    if (viewed < 0) viewed = null;
  },
);
