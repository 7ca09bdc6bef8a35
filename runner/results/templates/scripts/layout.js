// The layout: what stands in the rows, what in the columns, what is stepped through, and in which order.
// A place of the matrix has a stack of jobs, of which one is in front: at least all takes of a cell.

const NONE = -1;
const SIZES = { s: 150, m: 230, l: 360 };
// What tells clips apart; the other facets tell what became of them.
const dimensions = facets.flatMap(({ name }, index) => ["status", "orphaned", "defects", "warnings", "pick"].includes(name) ? [] : [index]);
// What only gives each image another name tells no more than the image.
const telling = dimensions.filter((index) => !facets[index].names_images);
const untaken = telling.filter((index) => facets[index].name !== "take");
const usual = untaken.length > 1 ? { rows: untaken[0], columns: untaken[1] } : { rows: NONE, columns: NONE };
const layout = { ...usual, step: NONE, at: 0, sort: "", down: false, size: "m" };
// Ids of jobs that were turned to the front of their stacks.
let fronts = new Set();

function choiceOf(index, facet) {
  return jobs[index].choices[facet][0];
}

function grouped(indices, keyOf) {
  const groups = new Map();
  for (const index of indices) {
    const key = keyOf(index);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(index);
  }
  return groups;
}

// Cells with all their takes, in order.
function stacksOf(indices) {
  return [...grouped(indices, (index) => untaken.map((facet) => choiceOf(index, facet)).join()).values()];
}

// Rows of a matrix: a head, and a stack or nothing for each column. A side that is not chosen is counted through.
function arranged(indices) {
  const { rows, columns } = layout;
  if (rows === NONE && columns === NONE) return { loose: stacksOf(indices) };
  const of = (facet) => [...grouped(indices, (index) => choiceOf(index, facet))];
  if (columns === NONE) {
    return { rows: of(rows).map(([choice, own]) => ({ head: labelOf(rows, choice), stacks: stacksOf(own) })) };
  }
  const inOrder = of(columns).sort(([a], [b]) => a - b);
  const heads = inOrder.map(([choice]) => labelOf(columns, choice));
  if (rows === NONE) {
    const lists = inOrder.map(([, own]) => stacksOf(own));
    const most = Math.max(0, ...lists.map(({ length }) => length));
    return { heads, rows: Array.from({ length: most }, (_, at) => ({ head: "", stacks: lists.map((list) => list[at]) })) };
  }
  const listed = layout.sort ? of(rows) : of(rows).sort(([a], [b]) => a - b);
  return {
    heads,
    rows: listed.map(([choice, own]) => {
      const cells = grouped(own, (index) => choiceOf(index, columns));
      return { head: labelOf(rows, choice), stacks: inOrder.map(([column]) => cells.get(column)) };
    }),
  };
}

// A value that says what it is; a number or a word of JSON needs the name of its variable.
function labelOf(facet, choice) {
  const { label: name, choices } = facets[facet];
  const { key, label } = choices[choice];
  return /^(|true|false|null|-?[\d.]+(e[+-]?\d+)?)$/.test(key) ? `${name} ${label}` : label;
}

// The jobs of the step that is chosen, in order.
function stepped() {
  const { step, at } = layout;
  return sorted(step === NONE ? shown : shown.filter((index) => choiceOf(index, step) === at));
}

function frontOf(stack) {
  return stack.find((index) => fronts.has(jobs[index].id)) ?? stack[0];
}

function turn(stack, by) {
  const next = stack[(stack.indexOf(frontOf(stack)) + by + stack.length) % stack.length];
  stack.forEach((index) => fronts.delete(jobs[index].id));
  if (next !== stack[0]) fronts.add(jobs[next].id);
  remember();
}

// What is to be said of a clip where rows and columns do not say it.
function captionOf(index) {
  const heads = [layout.rows, layout.columns, layout.step];
  return telling.filter((facet) => !heads.includes(facet)).map((facet) => labelOf(facet, choiceOf(index, facet))).join(" · ");
}

function options(select, listed, none) {
  select.replaceChildren(element("option", { value: "" }, none), ...listed.map(([value, label]) => element("option", { value }, label)));
}

function relayout() {
  updateLayout();
  draw();
  remember();
}

function updateLayout() {
  const nameOf = (facet) => facets[facet]?.name ?? "";
  for (const side of ["rows", "columns", "step"]) byId(side).value = nameOf(layout[side]);
  byId("sort").value = layout.sort;
  byId("direction").setAttribute("aria-pressed", String(layout.down));
  byId("direction").disabled = !layout.sort;
  document.querySelectorAll("[data-size]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.size === layout.size)));
  const { step, at } = layout;
  byId("stepper").hidden = step === NONE;
  if (step === NONE) return;
  byId("step-name").textContent = facets[step].label;
  byId("step-value").replaceChildren(...facets[step].choices.map(({ label }, choice) => element("option", { value: choice }, label)));
  byId("step-value").value = at;
}

// What was in one place goes to the other place if it is chosen there.
function place(side, facet) {
  const other = ["rows", "columns", "step"].find((each) => each !== side && layout[each] === facet);
  if (other && facet !== NONE) layout[other] = layout[side];
  layout[side] = facet;
  layout.at = layout.step === NONE ? 0 : Math.min(layout.at, facets[layout.step].choices.length - 1);
  relayout();
}

function stepBy(by) {
  if (layout.step === NONE) return say("Choose first what to step through");
  const { length } = facets[layout.step].choices;
  layout.at = (layout.at + by + length) % length;
  return relayout();
}

inAddress(
  () => {
    const { rows, columns, step, at, sort, down, size } = layout;
    const name = (facet) => facets[facet]?.name ?? "none";
    return [
      ...(rows === usual.rows ? [] : [["rows", name(rows)]]),
      ...(columns === usual.columns ? [] : [["columns", name(columns)]]),
      ...(step === NONE ? [] : [["step", name(step)], ["at", facets[step].choices[at].key]]),
      ...(sort ? [["sort", (down ? "-" : "") + sort]] : []),
      ...(size === "m" ? [] : [["size", size]]),
      ...(fronts.size ? [["front", [...fronts].join()]] : []),
    ];
  },
  (all) => {
    const named = (side, otherwise) => {
      const [name] = all(side);
      const facet = dimensions.find((index) => facets[index].name === name);
      return facet ?? (name === "none" ? NONE : otherwise);
    };
    Object.assign(layout, { rows: named("rows", usual.rows), columns: named("columns", usual.columns), step: named("step", NONE) });
    if (layout.columns === layout.rows) layout.columns = NONE;
    if (layout.step === layout.rows || layout.step === layout.columns) layout.step = NONE;
    layout.at = Math.max(0, facets[layout.step]?.choices.findIndex(({ key }) => key === all("at")[0]) ?? 0);
    const sort = all("sort")[0] ?? "";
    layout.down = sort.startsWith("-");
    layout.sort = sortings.has(sort.replace(/^-/, "")) ? sort.replace(/^-/, "") : "";
    layout.size = all("size")[0] in SIZES ? all("size")[0] : "m";
    fronts = new Set((all("front")[0] ?? "").split(",").filter(Boolean));
    updateLayout();
  },
);

for (const side of ["rows", "columns", "step"]) {
  options(byId(side), dimensions.map((index) => [facets[index].name, facets[index].label]), "–");
  byId(side).addEventListener("change", ({ target }) => place(side, facets.findIndex(({ name }) => name === target.value)));
}
byId("sizes").addEventListener("click", ({ target }) => {
  if (!target.dataset.size) return;
  layout.size = target.dataset.size;
  relayout();
});
byId("step-value").addEventListener("change", ({ target }) => { layout.at = Number(target.value); relayout(); });
byId("step-back").addEventListener("click", () => stepBy(-1));
byId("step-on").addEventListener("click", () => stepBy(1));
