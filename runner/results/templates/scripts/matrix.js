// Draws the layout. All rows have one height, so that only those near the screen need be filled.

const scroller = byId("cards");
const stacksIn = new WeakMap();
// The stacks in the order in which they stand on the page, and their jobs.
let stacks = [];
let order = [];
// The cell that the keys are about: the last under the pointer, or with the focus.
let current = null;
// The width for which the page was drawn.
let drawnFor = 0;

const nearby = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) (isIntersecting ? fillRow : drainRow)(target);
}, { root: scroller, rootMargin: "100% 50%" });

function draw() {
  const { loose, heads, rows: ordered } = arranged(stepped());
  const across = loose ? fit() : Math.max(1, ...ordered.map((row) => row.stacks.length));
  const lines = loose ? chunks(loose, across) : ordered;
  stacks = lines.flatMap((line) => line.stacks).filter(Boolean);
  order = stacks.flat();
  [...scroller.querySelectorAll(".row")].forEach(drainRow);
  nearby.disconnect();
  current = null;
  scroller.className = `${loose ? "sheet" : "matrix"} size-${layout.size}${sortings.get(layout.sort)?.tell ? " sorted" : ""}`;
  scroller.setAttribute("role", lines.length ? "table" : "presentation");
  scroller.setAttribute("aria-rowcount", String(lines.length + (heads ? 1 : 0)));
  setWidth(across, !loose);
  const drawn = lines.map((line, at) => {
    const row = element("div", { className: "row" });
    row.dataset.row = at + (heads ? 2 : 1);
    stacksIn.set(row, line);
    return row;
  });
  scroller.replaceChildren(...(heads?.length ? [headRow(heads)] : []), ...drawn);
  // What is to be seen first is there at once.
  drawn.slice(0, 2).forEach(fillRow);
  drawn.forEach((row) => nearby.observe(row));
}

function chunks(loose, across) {
  return Array.from({ length: Math.ceil(loose.length / across) }, (_, row) =>
    ({ stacks: loose.slice(row * across, (row + 1) * across) }));
}

function base() {
  const { frame } = document.documentElement.dataset;
  const wanted = SIZES[layout.size] * Math.sqrt((Number(frame) * 9) / 16);
  return Math.min(wanted, scroller.clientWidth);
}

// How many clips fit beside each other.
function fit() {
  return Math.max(1, Math.floor(scroller.clientWidth / base()));
}

function setWidth(across, hasHeads) {
  drawnFor = scroller.clientWidth;
  const room = scroller.clientWidth - (hasHeads && !narrow.matches ? headWidth() : 0);
  // A little smaller where all columns then fit.
  const width = hasHeads ? Math.max(base() * 0.8, Math.min(room / across, base() * 1.6)) : room / across;
  scroller.style.setProperty("--w", `${Math.floor(Math.min(width, scroller.clientWidth))}px`);
  scroller.style.setProperty("--view", `${scroller.clientWidth}px`);
}

function headWidth() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) * 8;
}

function headRow(heads) {
  const row = element("div", { className: "heads", attributes: { role: "row" } });
  const corner = element("span", { className: "corner", attributes: { role: "columnheader" } }, cornerText());
  row.append(corner, ...heads.map((head) => element("span", { className: "head-cell", dir: "auto", title: head, attributes: { role: "columnheader" } }, head)));
  return row;
}

function cornerText() {
  const name = (facet) => facets[facet]?.label ?? "";
  return [name(layout.rows), name(layout.columns)].filter(Boolean).join(" × ");
}

function fillRow(row) {
  if (row.firstChild) return;
  const { head, stacks: own } = stacksIn.get(row);
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", row.dataset.row);
  if (head !== undefined) row.append(element("div", { className: "row-head", dir: "auto", title: head, attributes: { role: "rowheader" } }, head));
  row.append(...own.map((stack) => (stack ? makeCell(stack) : element("div", { className: "cell void" }, "–"))));
  row.querySelectorAll(".cell").forEach((cell) => {
    cell.setAttribute("role", "cell");
    if (stackIn.has(cell)) sight.observe(cell);
  });
}

function drainRow(row) {
  if (!row.firstChild || row.contains(document.activeElement)) return;
  row.querySelectorAll(".cell").forEach((cell) => {
    sight.unobserve(cell);
    onScreen.delete(cell);
    unmount(cell);
  });
  row.removeAttribute("role");
  row.removeAttribute("aria-rowindex");
  row.replaceChildren();
}

function cells() {
  return [...scroller.querySelectorAll(".cell")].filter((cell) => stackIn.has(cell));
}

// Bring a job to the front and into sight; its cell, or null where it is not among the shown.
function bring(index) {
  for (const row of scroller.querySelectorAll(".row")) {
    const stack = stacksIn.get(row).stacks.find((each) => each?.includes(index));
    if (!stack) continue;
    fillRow(row);
    row.scrollIntoView({ block: "nearest" });
    const cell = [...row.querySelectorAll(".cell")].find((each) => stackIn.get(each) === stack);
    if (frontOf(stack) !== index) turnCell(cell, stack.indexOf(index) - stack.indexOf(frontOf(stack)));
    return cell;
  }
  return null;
}

// The cell in the row above or below.
function goVertical(by) {
  const cell = document.activeElement.closest?.(".cell");
  if (!cell) return false;
  const row = by < 0 ? cell.parentElement.previousElementSibling : cell.parentElement.nextElementSibling;
  if (!row?.classList.contains("row")) return false;
  fillRow(row);
  const at = [...cell.parentElement.children].indexOf(cell);
  const next = row.children[Math.min(at, row.children.length - 1)];
  next.querySelector(".frame")?.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

function setCurrent(cell) {
  if (current === cell) return;
  current?.classList.remove("current");
  current = cell;
  current?.classList.add("current");
}

const cellOf = ({ target }) => {
  const cell = target.closest(".cell");
  return cell && stackIn.has(cell) ? cell : null;
};

scroller.addEventListener("pointerover", (event) => { if (cellOf(event)) setCurrent(cellOf(event)); });
scroller.addEventListener("focusin", (event) => { if (cellOf(event)) setCurrent(cellOf(event)); });
scroller.addEventListener("pointermove", (event) => {
  const cell = cellOf(event);
  const box = cell && event.target.closest(".frame")?.querySelector(".fit")?.getBoundingClientRect();
  if (!box || event.pointerType !== "mouse") return;
  const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
  if (loupe.zoom > 1) aimLoupe(x, y);
  else if (!calm.matches && !reel.playing) scrub(cell, x);
});
scroller.addEventListener("pointerout", (event) => {
  const cell = cellOf(event);
  if (cell && event.target.closest(".frame") && !event.target.closest(".frame").contains(event.relatedTarget)) unscrub(cell);
});
scroller.addEventListener("click", (event) => {
  const cell = cellOf(event);
  if (!cell) return;
  if (event.target.closest(".turn")) turnCell(cell, event.target.closest(".on") ? 1 : -1);
  else if (event.target.closest(".choose")) choose(frontOf(stackIn.get(cell)));
  else if (event.target.closest(".frame")) show(frontOf(stackIn.get(cell)));
});
// What is gone since the page was made is done without: not the browser's sign for a broken picture.
scroller.addEventListener("error", ({ target }) => {
  if (target.tagName !== "IMG") return;
  const job = jobIn(target.closest(".cell"));
  if (target.matches(".sprite")) job.sprite = null;
  if (target.matches(".still") && job.still && job.clip) {
    job.still = null;
    target.replaceWith(still(job));
  } else target.remove();
}, true);

// The first job of the uppermost row that is seen; null at the top.
function topJob() {
  if (!scroller.scrollTop) return null;
  const under = (scroller.querySelector(".heads")?.offsetHeight ?? 0) + scroller.scrollTop;
  const row = [...scroller.querySelectorAll(".row")].find(({ offsetTop, offsetHeight }) => offsetTop + offsetHeight / 2 > under);
  return row ? stacksIn.get(row).stacks.find(Boolean)[0] : null;
}

function beginAt(index) {
  const row = [...scroller.querySelectorAll(".row")].find((each) => stacksIn.get(each).stacks.some((stack) => stack?.includes(index)));
  if (!row) return;
  scroller.scrollTop = row.offsetTop - (scroller.querySelector(".heads")?.offsetHeight ?? 0);
}

// The job at which the page is to begin, until it does.
let topmost = null;

function begin() {
  if (topmost !== null) beginAt(topmost);
  topmost = null;
}

new ResizeObserver(() => {
  if (scroller.clientWidth === drawnFor) return;
  topmost = topJob();
  draw();
  begin();
}).observe(scroller);
scroller.addEventListener("scroll", () => remember(true), { passive: true });

inAddress(
  () => {
    const top = topmost ?? topJob();
    return top === null ? [] : [["top", jobs[top].id]];
  },
  (all) => {
    const found = jobs.findIndex(({ id }) => id === all("top")[0]);
    topmost = found < 0 ? null : found;
  },
);
