// Everything that the index knows about a job, for those who ask.

function rows(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...known.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", { dir: "auto" }, value instanceof Node ? value : plain(value)))));
}

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

// Hashes and ids are for comparing and copying, so they are shown as code.
function code(text) {
  return text && element("code", {}, text);
}

function copied(text, what) {
  return text && element("span", { className: "copied" }, code(text), button("plain", `Copy the ${what.toLowerCase()}`, "copy", () => copy(text, what)));
}

function paragraph(text) {
  return element("p", { className: "text", dir: "auto" }, text);
}

function clock(time) {
  return time && time.replace("T", " ").replace("Z", " UTC");
}

function size(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function outcome({ reason: why, error }) {
  return rows([["reason", why], ["error", error]]);
}

function request(job) {
  return rows([
    ["model", job.model], ["picture", code(plain(job.payload.image ?? ""))], ["take", job.take],
    ["request id", copied(job.request_id, "Request id")], ["job id", code(job.id)], ["attempts", job.attempts],
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

// The job beside this one: of the stack before it on the page, or after it, the one that is most like it.
function neighbour(index) {
  const at = stacks.findIndex((stack) => stack.includes(index));
  const beside = stacks[at - 1] ?? stacks[at + 1] ?? [];
  const likeness = (other) => dimensions.filter((facet) => choiceOf(other, facet) === choiceOf(index, facet)).length;
  return beside.toSorted((a, b) => likeness(b) - likeness(a))[0];
}

function prompts(index) {
  const now = promptOf(jobs[index]), beside = neighbour(index);
  const made = section("Prompt", paragraph(now), button("plain", "Copy the prompt (c)", "copy", () => copy(now, "Prompt")));
  const before = beside === undefined ? now : promptOf(jobs[beside]);
  if (before !== now) {
    made.append(element("details", { className: "compared", open: true },
      element("summary", {}, "Compared with ", element("bdi", {}, jobs[beside].key)), diffed(before, now)));
  }
  return made;
}

function seconds([start, end]) {
  return button("span", `Go to ${start} s`, `${rounded(start)}–${rounded(end)} s`, () => deck().seek(start));
}

function defectList({ defects }) {
  return element("ul", { className: "defect-list" }, ...defects.map(({ measure, value, limit, spans }) =>
    element("li", {}, element("b", {}, measure), ` ${rounded(value)}, limit ${rounded(limit)} `, ...(spans ?? []).map(seconds))));
}

function measureList({ measures, defects }) {
  const beyond = new Set(defects.map(({ measure }) => measure));
  const list = rows(figures(measures));
  for (const term of list.querySelectorAll("dt")) {
    const names = term.textContent.split(", ");
    term.parentElement.classList.toggle("beyond", names.some((name) => beyond.has(name)));
    term.parentElement.classList.toggle("wide", names.length > 1);
    term.parentElement.title = names.map((name) => `${name}: ${meanings[name]}`).join("\n");
  }
  list.className = "figures";
  return list;
}

function twin({ measures }) {
  const found = jobs.findIndex(({ id }) => id === measures.duplicate_of);
  return found < 0 ? null : section("As good as the same clip", button("plain", "Show it", jobs[found].key, () => show(found)));
}

function parameters({ payload }) {
  const { image, prompt, negative_prompt: without, ...others } = payload;
  return Object.keys(others).length && section("Parameters", rows(Object.entries(others)));
}

function list(title, texts) {
  return texts.length && section(title, element("ul", {}, ...texts.map((text) => element("li", {}, text))));
}

const sections = [];

// A section of the details, the last or the first so far: `make` gets a job and its index, and gives an element or nothing.
function inDetails(make, isFirst = false) {
  sections[isFirst ? "unshift" : "push"](make);
}

inDetails((job) => (job.reason || job.error) && section(job.status === "succeeded" ? "Note" : "Why", outcome(job)));
inDetails((job) => job.defects.length && section("Defects", defectList(job)));
inDetails((job) => list("Warnings", job.warnings.map(({ message }) => message)));
inDetails(twin);
inDetails((job, index) => job.payload.prompt && prompts(index));
inDetails(({ payload }) => payload.negative_prompt && section("Negative prompt", paragraph(plain(payload.negative_prompt))));
inDetails((job) => section("Variables", rows([["image", job.image], ["prompt", job.prompt_id],
  ...Object.entries(job.variables), ...Object.entries(job.image_vars)])));
inDetails(parameters);
inDetails((job) => figures(job.measures).length && section("Measures", measureList(job)));
inDetails((job) => section("Request", request(job)));
inDetails((job) => job.video && section("Clip", file(job)));
inDetails((job) => list("The same request in", job.aliases));

function detailsOf(index) {
  return sections.map((make) => make(jobs[index], index)).filter(Boolean);
}

// What two jobs differ in.
function differences(a, b) {
  const flat = (job) => ({
    image: job.image, prompt: job.prompt_id, model: job.model, take: job.take, ...job.variables, ...job.image_vars,
    ...Object.fromEntries(Object.entries(job.payload).filter(([name]) => !["prompt", "image"].includes(name))),
    cost: job.price, length: job.video?.seconds, ...Object.fromEntries(figures(job.measures)),
  });
  const [left, right] = [flat(a), flat(b)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => told(left[name]) !== told(right[name]));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...["", "A", "B"].map((head) => element(head ? "th" : "td", head ? { scope: "col" } : {}, head)))));
  table.append(element("tbody", {}, ...names.map((name) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", { dir: "auto" }, told(left[name])), element("td", { dir: "auto" }, told(right[name]))))));
  return [
    section("Different", table),
    promptOf(a) === promptOf(b) ? section("Prompt, the same", paragraph(promptOf(a))) : section("Prompt, A to B", diffed(promptOf(a), promptOf(b))),
  ];
}
