// What reviewers hold of clips. A page that a review serves also takes the marks of who looks at it.

const stars = (count) => "★".repeat(count ?? 0);
const WORDS = { pick: "picked", reject: "rejected" };

// Whether a clip is picked is told as it was when the page was made.
const pickedOrNot = (pick) => (pick === null ? null : pick ? "yes" : "no");

function opinions({ marks }) {
  return Object.entries(marks).map(([by, { mark, stars: count }]) => [by, [WORDS[mark], stars(count)].filter(Boolean).join(" ")]);
}

inDetails((job) => Object.keys(job.marks).length && section("Verdicts", rows([["pick", pickedOrNot(job.pick)], ...opinions(job)])), true);
inDetails((job) => (serving && job.clip && section("Your verdict", marker(job))), true);

function marker(job) {
  const own = job.marks[serving.by] ?? {};
  const made = element("div", { className: "marker" });
  for (const [mark, label, key] of [["pick", "Pick", "p"], ["reject", "Reject", "x"], ["none", "Neither", "u"]]) {
    const chosen = button("chip", `${label} (${key})`, label, () => sayMark(job, mark));
    chosen.setAttribute("aria-pressed", String((own.mark ?? "none") === mark));
    made.append(chosen);
  }
  for (const count of [1, 2, 3, 4, 5]) {
    const given = count <= (own.stars ?? 0);
    made.append(button(`star ${given ? "given" : ""}`, `${count} stars`, "★", () => sayStars(job, count === own.stars ? 0 : count)));
  }
  return made;
}

const sayMark = (job, mark) => sayOf(job, { kind: "mark", mark }, { mark: mark === "none" ? null : mark });
const sayStars = (job, count) => sayOf(job, { kind: "stars", stars: count }, { stars: count || null });

// It is shown once it is kept.
async function sayOf(job, said, change) {
  try {
    const answer = await fetch("said", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...said, job: serving.names[job.id] }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  } catch (error) {
    say(`Not kept: ${error.message}`);
    return;
  }
  job.marks[serving.by] = { ...job.marks[serving.by], ...change };
  job.pick = null;
  cells().filter((cell) => jobIn(cell) === job).forEach(fillCell);
  mountVisible();
  if (view.open && viewed !== null && jobs[viewed] === job) byId("view-body").replaceChildren(...detailsOf(viewed));
}

function markCurrent(mark) {
  const index = currentIndex();
  if (!serving || index === null || !jobs[index].clip) return false;
  sayMark(jobs[index], mark);
  return true;
}

// The token was for coming in.
if (serving && location.search.includes("token=")) history.replaceState(null, "", `?mode=sheet${location.hash}`);
