// Two chosen clips: side by side, their difference, or a wipe from one to the other. Blended by CSS, because a page from
// the disk may not read the pixels of a clip.

const LOOKS = ["side", "difference", "wipe"];
// Indices of the chosen jobs: A, then B.
let pair = [];
let look = null;
// Where B begins in a wipe, in thousandths of the width.
let wipe = 500;

function choose(index) {
  pair = pair.includes(index) ? pair.filter((each) => each !== index) : [...pair, index].slice(-2);
  cells().forEach(markChosen);
  remember();
}

function markChosen(cell) {
  const at = pair.indexOf(frontOf(stackIn.get(cell)));
  const chooser = cell.querySelector(".choose");
  cell.classList.toggle("chosen", at >= 0);
  if (!chooser) return;
  chooser.setAttribute("aria-pressed", String(at >= 0));
  chooser.replaceChildren(at >= 0 ? "AB"[at] : icon("compare"));
}

// The two clips in a look; asked for again, side by side.
function comparePair(wanted) {
  if (view.open && look) return setLook(look === wanted ? "side" : wanted);
  const here = currentIndex();
  if (pair.length === 1 && here !== null && !pair.includes(here) && isPlayable(jobs[here])) choose(here);
  if (pair.length < 2) return say("Choose two clips first: s, or the two squares below a clip");
  return showPair(wanted);
}

function showPair(wanted) {
  openView(pair.map((index) => jobs[index].key).join(" and "));
  viewed = null;
  const both = pair.map((index, at) => screen(index, sourcesOf(jobs[index]), "AB"[at]));
  const stage = element("div", { className: "screens pair" }, ...both, wiper());
  stage.style.setProperty("--ratio", ratioOf(jobs[pair[0]]));
  byId("view-stage").replaceChildren(stage);
  byId("view-status").textContent = "";
  byId("view-status").className = "";
  byId("view-title").replaceChildren(...pair.flatMap((index, at) => [element("span", { className: "side" }, `${"AB"[at]} `, jobs[index].key)]));
  byId("view-body").replaceChildren(...differences(...pair.map((index) => jobs[index])));
  byId("view-place").textContent = "Two clips";
  byId("view-place").parentElement.classList.add("two");
  setLook(wanted);
  updateWipe();
  playStage();
}

function setLook(wanted) {
  look = wanted;
  byId("view-stage").firstChild.dataset.look = look;
  for (const each of ["difference", "wipe"]) byId(each).setAttribute("aria-pressed", String(look === each));
  remember();
}

function wiper() {
  const range = element("input", { type: "range", className: "wiper", min: 0, max: 1000, value: wipe });
  range.setAttribute("aria-label", "Where B begins");
  range.addEventListener("input", () => { wipe = Number(range.value); updateWipe(); });
  return range;
}

function updateWipe() {
  byId("view-stage").firstChild.style.setProperty("--wipe", `${wipe / 10}%`);
  remember(true);
}

inAddress(
  () => [
    ...(pair.length ? [["pair", pair.map((index) => jobs[index].id).join()]] : []),
    ...(look ? [["look", look]] : []),
    ...(look === "wipe" && wipe !== 500 ? [["wipe", wipe]] : []),
  ],
  (all) => {
    pair = (all("pair")[0] ?? "").split(",").map((wanted) => jobs.findIndex(({ id }) => id === wanted)).filter((index) => index >= 0).slice(0, 2);
    look = pair.length === 2 && LOOKS.includes(all("look")[0]) ? all("look")[0] : null;
    wipe = Math.max(0, Math.min(Number(all("wipe")[0] ?? 500) || 0, 1000));
  },
);
