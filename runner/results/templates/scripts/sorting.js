// Sorting: by what the layout knows, and by any column and measure in which jobs differ.

const GROUPS = { matrix: "Layout", job: "Job", clip: "Clip", measures: "Measures", parameters: "Parameters", images: "Image variables" };
const natural = new Intl.Collator(undefined, { numeric: true });
const dated = (text) => text && clock(text).slice(5, 16);

// Names as in the address and in index.csv. `value` is what is compared; `tell` is how a card shows it, if it does.
const columns = [
  ...dimensions.map((index) => ["matrix", facets[index].name, facets[index].label, (job) => rankOf(job, index)]),
  ["job", "status", "status", ({ status }) => status],
  ["job", "cost", "cost", ({ cost }) => cost, ({ price }) => price],
  ["job", "attempts", "attempts", ({ attempts }) => attempts, ({ attempts }) => `${attempts} attempts`],
  ["job", "submitted_at", "submitted", (job) => job.submitted_at, (job) => dated(job.submitted_at)],
  ["job", "finished_at", "finished", (job) => job.finished_at, (job) => dated(job.finished_at)],
  ["job", "key", "key", ({ key }) => key],
  ["job", "request_id", "request id", (job) => job.request_id, (job) => job.request_id],
  ["job", "defects", "defects", ({ defects }) => defects.length],
  ...[["seconds", "s"], ["bytes", ""], ["width", "wide"], ["height", "high"], ["fps", "fps"]].map(([name, unit]) =>
    ["clip", `video.${name}`, name, ({ video }) => video?.[name], ({ video }) => (name === "bytes" ? size(video.bytes) : `${rounded(video[name])} ${unit}`)]),
  ...Object.keys(meanings).map((name) =>
    ["measures", `measures.${name}`, name, ({ measures }) => measures[name], ({ measures }) => `${name} ${rounded(measures[name])}` + (name === "wobble" ? `, motion ${told(measures.motion)}` : "")]),
  ...columnsIn("payload", "parameters"),
  ...columnsIn("image_vars", "images"),
];
const sortings = new Map(columns.filter(([, , , value]) => new Set(jobs.map((job) => comparable(value(job)))).size > 1)
  .map(([group, name, label, value, tell]) => [name, { group, label, value, tell }]));

function columnsIn(member, group) {
  const names = [...new Set(jobs.flatMap((job) => Object.keys(job[member])))];
  return names.map((name) => [group, `${member}.${name}`, name, (job) => job[member][name], (job) => `${name} ${plain(job[member][name])}`]);
}

function comparable(value) {
  if (typeof value === "boolean") return Number(value);
  return value === undefined ? null : value !== null && typeof value === "object" ? plain(value) : value;
}

// Numbers by their size, other values in their order in the manifest.
function rankOf({ choices }, facet) {
  facets[facet].numbers ??= facets[facet].choices.map(({ key }) => key === "" ? NaN : Number(key));
  const { numbers } = facets[facet];
  return numbers.some(Number.isNaN) ? choices[facet][0] : numbers[choices[facet][0]];
}

function compared(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : natural.compare(a, b);
}

function sorted(indices) {
  if (!layout.sort) return indices;
  const { value } = sortings.get(layout.sort);
  const sign = layout.down ? -1 : 1;
  const keyed = indices.map((index) => [index, comparable(value(jobs[index]))]);
  // What has no value is last in both directions.
  keyed.sort(([, a], [, b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compared(a, b)));
  return keyed.map(([index]) => index);
}

// What a card says of its job because it is sorted by that.
function sortedBy(job) {
  const { value, tell } = sortings.get(layout.sort) ?? {};
  return tell && comparable(value(job)) !== null ? tell(job) : null;
}

for (const [group, label] of Object.entries(GROUPS)) {
  const listed = [...sortings].filter(([, sorting]) => sorting.group === group);
  if (listed.length) byId("sort").append(element("optgroup", { label }, ...listed.map(([value, sorting]) => element("option", { value }, sorting.label))));
}
byId("sort").prepend(element("option", { value: "" }, "as planned"));
byId("sort").addEventListener("change", ({ target }) => { layout.sort = target.value; relayout(); });
byId("direction").addEventListener("click", () => { layout.down = !layout.down; relayout(); });
