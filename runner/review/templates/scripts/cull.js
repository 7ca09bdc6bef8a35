// Pick or reject, one clip after the other.

let clips = [];
let clipAt = 0;

async function startCull() {
  bind({ p: "pick", x: "reject", u: "none" }, "p x u", "pick, reject, neither", mark);
  bind({ 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 0: 0 }, "1–5 0", "stars; none", giveStars);
  allowSteps("the clip before, or the next", (by) => showClip(clipAt + by));
  allowUndo({ z: 0, Backspace: 0 }, "z", undoMark);
  const stars = [1, 2, 3, 4, 5].map((number) => [String(number), "★", () => giveStars(number), "lesser star"]);
  offer([["x", "Reject", () => mark("reject")], ["u", "Neither", () => mark("none"), "lesser"], ...stars, ["p", "Pick", () => mark("pick")]]);
  const shown = await backend.shown();
  clips = shown?.clips ?? [];
  const open = clips.findIndex((each) => !each.mark && !each.stars);
  showClip(open < 0 ? 0 : open);
}

async function showClip(at) {
  if (!clips.length) {
    announce("There are no clips yet.", "Next: reelrun run");
    return;
  }
  if (at < 0 || at > clips.length) return;
  clipAt = at;
  placeClip();
  if (at === clips.length) {
    announce("These were all.", "← goes back.");
    return;
  }
  await stage([clips[at]], [""], clips.slice(at + 1, at + 3));
  markClip();
}

function placeClip() {
  const count = (mark) => clips.filter((each) => each.mark === mark).length;
  byId("place").textContent = `${Math.min(clipAt + 1, clips.length)} of ${clips.length} · ${count("pick")} picked · ${count("reject")} rejected`;
}

function markClip() {
  const { mark: said, stars, key } = clips[clipAt] ?? {};
  const seat = byId("screens").firstElementChild;
  if (!seat) return;
  document.querySelectorAll(".star").forEach((each, number) => {
    each.classList.toggle("given", number < stars);
    each.setAttribute("aria-label", `${number + 1} stars`);
  });
  seat.classList.toggle("chosen", said === "pick");
  seat.classList.toggle("dropped", said === "reject");
  const words = [key, { pick: "picked", reject: "rejected" }[said], stars ? "★".repeat(stars) : ""];
  seat.querySelector(".letter").textContent = words.filter(Boolean).join(" · ");
}

const mark = (word) => judge({ kind: "mark", mark: word }, { mark: word === "none" ? null : word });
const giveStars = (stars) => judge({ kind: "stars", stars }, { stars: stars || null });

async function judge(said, change) {
  const clip = clips[clipAt];
  if (!clip || !isIn("shown")) return;
  if (!(await backend.say({ ...said, job: clip.name }))) return;
  Object.assign(clip, change);
  showClip(clipAt + 1);
}

async function undoMark() {
  if (isIn("sending")) return;
  const shown = await backend.undo();
  if (!shown?.undone) {
    say("There is nothing to take back");
    return;
  }
  say("Taken back");
  const at = clips.findIndex(({ name }) => name === shown.undone.job);
  const fresh = await backend.shown();
  if (fresh) clips = fresh.clips;
  showClip(at);
}
