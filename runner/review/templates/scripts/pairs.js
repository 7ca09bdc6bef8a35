// Pairs, blind: which of two clips.

const chosen = new Set();

function startPairs() {
  bind({ ArrowLeft: "left", ArrowRight: "right", t: "tie", b: "both-bad" }, "← → t b", "left, right, tie, both bad", answer);
  if (reasons.length) {
    const digits = Object.fromEntries(reasons.slice(0, 9).map((reason, at) => [String(at + 1), reason]));
    bind(digits, `1–${Math.min(9, reasons.length)}`, "a reason, said with the answer", toggleReason);
  }
  allowUndo({ u: 0, z: 0, Backspace: 0 }, "u z", undoPair);
  offer([
    ["←", sided("Left", "Upper"), () => answer("left")], ["t", "Tie", () => answer("tie"), "lesser"],
    ["b", "Both bad", () => answer("both-bad"), "lesser"], ["→", sided("Right", "Lower"), () => answer("right")],
  ]);
  byId("reasons").replaceChildren(...reasons.map((reason, at) => {
    const made = element("button", { type: "button", className: "chip" }, element("bdi", {}, reason));
    onPress(made, () => toggleReason(reason));
    if (at < 9) made.append(element("kbd", { attributes: { "aria-hidden": "true" } }, String(at + 1)));
    made.dataset.reason = reason;
    return made;
  }));
  backend.shown().then(showPairs);
}

// Where clips are below each other, left is the upper one.
const sided = (beside, below) => element("span", {}, element("span", { className: "beside" }, beside), element("span", { className: "below" }, below));

function toggleReason(reason) {
  if (!chosen.delete(reason)) chosen.add(reason);
  markReasons();
}

function markReasons() {
  for (const each of byId("reasons").children) each.setAttribute("aria-pressed", String(chosen.has(each.dataset.reason)));
}

function showPairs(shown) {
  if (!shown) return;
  chosen.clear();
  markReasons();
  byId("place").textContent = `${shown.judged} judged · ${shown.left} left`;
  if (!shown.pair && !shown.judged) {
    announce("There is nothing to compare.", "A pair is two clips of one picture: of two prompts, models or values, or two takes.");
    return;
  }
  if (!shown.pair) {
    announce("You have judged every pair.", "Thank you.", parcel ? "Save your verdicts, and send the file back." : "What you said is on the disk; 'reelrun compare' tells what it means.");
    return;
  }
  const { pair, ahead } = shown;
  stage([pair.left, pair.right], [sided("left", "upper"), sided("right", "lower")], ahead ? [ahead.left, ahead.right] : []);
}

async function answer(winner) {
  if (!isIn("shown") || isHeld) return;
  if (areBroken()) {
    say("A clip that is not seen is not judged");
    return;
  }
  const [left, right] = screens.map(({ clip }) => clip.name);
  const seconds = Math.round(performance.now() - shownAt) / 1000;
  deck.pause();
  [...byId("screens").children].forEach((seat, at) => seat.classList.toggle("chosen", winner === ["left", "right"][at] || winner === "tie"));
  const said = { kind: "pair", left, right, winner, reasons: reasons.filter((each) => chosen.has(each)), seconds };
  showPairs(await backend.say(said));
}

async function undoPair() {
  if (isIn("sending")) return;
  const shown = await backend.undo();
  if (!shown) return;
  if (!shown.undone) say("There is nothing to take back");
  else say(shown.undone.kind === "note" ? "The note is taken back" : "The answer is taken back: judge it again");
  if (shown.undone?.kind === "pair") showPairs(shown);
}
