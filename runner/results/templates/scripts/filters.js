// Filters: chips and search words choose jobs.

const chips = [...document.querySelectorAll(".chip")];
const search = byId("text");
const chosen = facets.map(() => new Set());
let shown = jobs.map((_, index) => index);
let haystacks = null;

// All variable names and all values of a job, without what the page added to the job.
function haystack(index) {
  haystacks ??= jobs.map(({ choices, clip, still, sprite, small, source, note, price, measures, ...job }) =>
    leaves([job, Object.keys(job.variables)]).join("\n").toLowerCase());
  return haystacks[index];
}

function leaves(value) {
  if (value === null) return [];
  return typeof value === "object" ? Object.values(value).flatMap(leaves) : [String(value)];
}

// Finds the jobs to show. Counts for each chip the jobs that it would show, given the choices in the other facets.
function judge() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const counts = facets.map(({ choices }) => choices.map(() => 0));
  shown = [];
  jobs.forEach(({ choices }, index) => {
    const missed = choices.flatMap((own, facet) =>
      chosen[facet].size && !own.some((choice) => chosen[facet].has(choice)) ? [facet] : []);
    if (missed.length > 1 || !words.every((word) => haystack(index).includes(word))) return;
    if (!missed.length) shown.push(index);
    for (const facet of missed.length ? missed : facets.keys()) choices[facet].forEach((choice) => { counts[facet][choice] += 1; });
  });
  return counts;
}

function filter() {
  const counts = judge();
  chips.forEach((chip) => updateChip(chip, counts));
  const chosenChips = chosen.reduce((sum, choices) => sum + choices.size, 0) + (search.value.trim() ? 1 : 0);
  byId("shown").textContent = `${shown.length} of ${jobs.length} shown`;
  byId("active").textContent = chosenChips ? ` · ${chosenChips} on` : "";
  byId("clear").hidden = !chosenChips;
  byId("empty").hidden = shown.length > 0;
  draw();
}

function updateChip(chip, counts) {
  const { facet, choice } = chip.dataset;
  const pressed = chosen[facet].has(Number(choice));
  const count = counts[facet][choice];
  chip.setAttribute("aria-pressed", String(pressed));
  chip.classList.toggle("barren", !count);
  chip.querySelector(".count").textContent = count;
  if (pressed && chip.closest(".more")) chip.closest(".more").open = true;
}

function toggle(chip) {
  const choices = chosen[chip.dataset.facet];
  const choice = Number(chip.dataset.choice);
  if (!choices.delete(choice)) choices.add(choice);
  refilter();
}

function refilter() {
  filter();
  remember();
}

function clear() {
  chosen.forEach((choices) => choices.clear());
  search.value = "";
  refilter();
  byId("sheet").focus({ preventScroll: true });
}

inAddress(
  () => [
    ...facets.flatMap(({ name, choices }, facet) =>
      [...chosen[facet]].sort((a, b) => a - b).map((choice) => [name, choices[choice].key])),
    ...(search.value.trim() ? [["text", search.value.trim()]] : []),
  ],
  (all) => {
    facets.forEach(({ name, choices }, facet) => {
      const keys = all(name);
      chosen[facet] = new Set(choices.flatMap(({ key }, choice) => keys.includes(key) ? [choice] : []));
    });
    search.value = all("text").at(-1) ?? "";
  },
);

byId("filters").addEventListener("click", ({ target }) => {
  const chip = target.closest(".chip");
  if (chip) toggle(chip);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
search.addEventListener("input", refilter);
byId("clear").addEventListener("click", clear);
byId("clear-empty")?.addEventListener("click", clear);

// Beside the sheet, the filters are always open. On a narrow screen they are above it, and open on demand.
const narrow = matchMedia("(max-width: 60rem)");
function fold(folded) {
  byId("panel").hidden = folded;
  byId("fold").setAttribute("aria-expanded", String(!folded));
}
narrow.addEventListener("change", () => fold(narrow.matches));
byId("fold").addEventListener("click", () => fold(!byId("panel").hidden));
fold(narrow.matches);
