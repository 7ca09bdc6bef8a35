// A page without a server: what is said stays in this browser, under the random names of the page, until it is saved.

const shelf = `reelrun-review-${parcel?.id}`;
let kept = { by: reviewer, lines: [] };
let lastAt = "";
let isShelved = true;

function takeFromShelf() {
  try {
    const found = JSON.parse(localStorage.getItem(shelf));
    if (Array.isArray(found?.lines)) kept = { ...found, by: reviewer || found.by };
  } catch {
    isShelved = false;
  }
  lastAt = kept.lines.at(-1)?.at ?? "";
}

function putOnShelf() {
  try {
    localStorage.setItem(shelf, JSON.stringify(kept));
  } catch {
    isShelved = false;
  }
  const said = `${kept.lines.length} said, not sent yet`;
  status(isShelved ? (kept.lines.length ? said : "") : `${said}. This browser keeps nothing: save before you close the page`, !isShelved);
}

// The time with six decimals, later than that of the line before.
function timeNow() {
  const now = new Date().toISOString().replace("Z", "000Z");
  lastAt = now > lastAt ? now : lastAt.replace(/\d{6}Z$/, (digits) => `${String(parseInt(digits, 10) + 1).padStart(6, "0")}Z`);
  return lastAt;
}

function standing(kind) {
  const undone = new Set(kept.lines.filter((line) => line.kind === "undo").map(({ of }) => of));
  return kept.lines.filter((line) => line.kind !== "undo" && !undone.has(line.at) && (!kind || line.kind === kind));
}

function shownPairs() {
  const { pairs } = parcel.shown;
  const at = standing("pair").length;
  return { pair: pairs[at] ?? null, ahead: pairs[at + 1] ?? null, judged: at, left: pairs.length - at };
}

function shownBest() {
  return { groups: parcel.shown.groups.map((group) => {
    const said = standing("best").findLast(({ of }) => of[0] === group.of[0].name);
    return { ...group, best: said?.best ?? null, worst: said?.worst ?? null };
  }) };
}

function shownClips() {
  const last = (kind, name) => standing(kind).findLast(({ job }) => job === name);
  return { clips: parcel.shown.clips.map((clip) => {
    const marked = last("mark", clip.name)?.mark;
    return { ...clip, mark: marked === "none" ? null : marked ?? null, stars: last("stars", clip.name)?.stars || null };
  }) };
}

const showing = { pairs: shownPairs, best: shownBest, cull: shownClips };

const elsewhere = {
  shown: async () => showing[mode](),
  say: async (document) => {
    kept.lines.push({ v: 1, at: timeNow(), by: kept.by, page: parcel.id, ...document });
    putOnShelf();
    return showing[mode]();
  },
  undo: async () => {
    const undone = standing().at(-1);
    if (!undone) return { undone: null };
    kept.lines.push({ v: 1, at: timeNow(), by: kept.by, page: parcel.id, kind: "undo", of: undone.at });
    putOnShelf();
    return { undone, ...showing[mode]() };
  },
};

function saveFile() {
  const text = kept.lines.map((line) => `${JSON.stringify({ ...line, by: kept.by })}\n`).join("");
  const link = element("a", {
    href: URL.createObjectURL(new Blob([text], { type: "application/jsonl" })), download: `verdicts-${parcel.id}-${kept.by}.jsonl`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say("Send the file back to whoever sent you this page");
}

// Who it is, before anything is shown.
async function introduce() {
  takeFromShelf();
  putOnShelf();
  byId("save").addEventListener("click", saveFile);
  if (kept.by) return;
  const who = byId("who");
  who.addEventListener("cancel", (event) => event.preventDefault());
  who.showModal();
  await once(byId("who-form"), "submit");
  kept.by = byId("who-name").value;
  putOnShelf();
}
