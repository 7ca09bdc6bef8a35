// Filters: chips and search words choose jobs. The address keeps the choice:
// #variables.surface=wet%20rock&text=orbit&job=0123456789abcdef

const chips = [...document.querySelectorAll(".chip")];
const search = byId("text");
const chosen = facets.map(() => new Set());
let shown = jobs.map((_, index) => index);
let haystacks = null;

// All variable names and all values of a job, without what the page added to the job.
function haystack(index) {
  haystacks ??= jobs.map(({ choices, clip, still, note, price, ...job }) =>
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
  const counts = facets.map(({ keys }) => keys.map(() => 0));
  shown = [];
  jobs.forEach(({ choices }, index) => {
    const missed = choices.flatMap((choice, facet) =>
      chosen[facet].size && !chosen[facet].has(choice) ? [facet] : []);
    if (missed.length > 1 || !words.every((word) => haystack(index).includes(word))) return;
    if (!missed.length) shown.push(index);
    for (const facet of missed.length ? missed : facets.keys()) counts[facet][choices[facet]] += 1;
  });
  return counts;
}

function update() {
  const counts = judge();
  const visible = new Set(shown);
  cards.forEach((card, index) => { card.hidden = !visible.has(index); });
  chips.forEach((chip) => updateChip(chip, counts));
  const chosenChips = chosen.reduce((sum, choices) => sum + choices.size, 0) + (search.value.trim() ? 1 : 0);
  byId("shown").textContent = `${shown.length} of ${jobs.length} shown`;
  byId("active").textContent = chosenChips ? ` · ${chosenChips} on` : "";
  byId("clear").hidden = !chosenChips;
  byId("empty").hidden = shown.length > 0;
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

function remember() {
  const parts = facets.flatMap(({ name, keys }, facet) =>
    [...chosen[facet]].sort((a, b) => a - b).map((choice) => [name, keys[choice]]));
  if (search.value.trim()) parts.push(["text", search.value.trim()]);
  if (viewed !== null) parts.push(["job", jobs[viewed].id]);
  const hash = "#" + parts.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  if (hash !== (location.hash || "#")) history.replaceState(null, "", hash);
}

function recall() {
  const parts = location.hash.slice(1).split("&").map((part) => {
    const [name, ...key] = part.split("=");
    return [decoded(name), decoded(key.join("="))];
  });
  const last = (wanted) => parts.findLast(([name]) => name === wanted)?.[1];
  chosen.forEach((choices) => choices.clear());
  parts.forEach(([name, key]) => choose(name, key));
  search.value = last("text") ?? "";
  update();
  const index = jobs.findIndex(({ id }) => id === last("job"));
  if (index >= 0) show(index);
  else view.close();
}

function choose(name, key) {
  const facet = facets.findIndex((each) => each.name === name);
  const choice = facets[facet]?.keys.indexOf(key) ?? -1;
  if (choice >= 0) chosen[facet].add(choice);
}

// A damaged link still opens the page.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function toggle(chip) {
  const choices = chosen[chip.dataset.facet];
  const choice = Number(chip.dataset.choice);
  if (!choices.delete(choice)) choices.add(choice);
  change();
}

function change() {
  stop();
  update();
  remember();
}

function clear() {
  chosen.forEach((choices) => choices.clear());
  search.value = "";
  change();
  byId("sheet").focus({ preventScroll: true });
}

byId("filters").addEventListener("click", ({ target }) => {
  const chip = target.closest(".chip");
  if (chip) toggle(chip);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
search.addEventListener("input", change);
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
