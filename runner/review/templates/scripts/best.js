// The best of the takes of a cell, and the worst if one likes.

let groups = [];
let groupAt = 0;
let best = null, worst = null;

async function startBest() {
  const digits = Object.fromEntries([..."123456789"].map((digit) => [digit, Number(digit) - 1]));
  bind(digits, "1–9", "the best; the next one is the worst; the best again: done", chooseTake);
  bind({ Enter: 0 }, "enter", "done, on to the next", sendBest);
  allowSteps("the takes before, or the next", (by) => showGroup(groupAt + by));
  allowUndo({ u: 0, z: 0, Backspace: 0 }, "u z", undoBest);
  offer([["enter", "Done", sendBest]]);
  const shown = await backend.shown();
  groups = shown?.groups ?? [];
  const open = groups.findIndex((each) => !each.best);
  showGroup(open < 0 ? 0 : open);
}

async function showGroup(at) {
  if (!groups.length) {
    announce("There are no takes to compare.", "Cells with two takes or more are shown here.");
    return;
  }
  if (at < 0 || at > groups.length) return;
  groupAt = at;
  placeGroup();
  if (at === groups.length) {
    announce("These were all.", "← goes back.");
    return;
  }
  const { of } = groups[at];
  ({ best, worst } = groups[at]);
  if (await stage(of, of.map((_, number) => String(number + 1)), groups[at + 1]?.of ?? [])) {
    [...byId("screens").children].forEach((seat, number) => {
      seat.append(button("pick-take", `Take ${number + 1}`, "", () => chooseTake(number)));
    });
    markTakes();
  }
}

function placeGroup() {
  const left = groups.filter((each) => !each.best).length;
  byId("place").textContent = `${Math.min(groupAt + 1, groups.length)} of ${groups.length} · ${left} left`;
}

function markTakes() {
  [...byId("screens").children].forEach((seat, at) => {
    const { name } = groups[groupAt].of[at];
    seat.classList.toggle("chosen", name === best);
    seat.classList.toggle("dropped", name === worst);
    seat.querySelector(".letter").textContent = `${at + 1}${name === best ? " best" : name === worst ? " worst" : ""}`;
  });
}

function chooseTake(at) {
  const name = groups[groupAt]?.of[at]?.name;
  if (!name || !isIn("shown")) return;
  if (name === best) {
    sendBest();
    return;
  }
  if (best === null || groups[groupAt].best) [best, worst, groups[groupAt].best] = [name, null, null];
  else worst = name === worst ? null : name;
  markTakes();
}

async function sendBest() {
  const group = groups[groupAt];
  if (!group || !isIn("shown")) return;
  if (!best) {
    say("First a digit: the best");
    return;
  }
  const said = { kind: "best", of: group.of.map(({ name }) => name), best, worst };
  if (!(await backend.say(said))) return;
  Object.assign(group, { best, worst });
  showGroup(groupAt + 1);
}

async function undoBest() {
  if (isIn("sending")) return;
  const shown = await backend.undo();
  if (!shown?.undone) {
    say("There is nothing to take back");
    return;
  }
  say(shown.undone.kind === "note" ? "The note is taken back" : "Taken back: say it again");
  if (shown.undone.kind !== "best") return;
  const at = groups.findIndex(({ of }) => of.every(({ name }) => shown.undone.of.includes(name)));
  Object.assign(groups[at], { best: null, worst: null });
  showGroup(at);
}
