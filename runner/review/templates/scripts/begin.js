// The keys that all modes have, and the start.

const backend = parcel ? elsewhere : server;
bind({ " ": 0 }, "space", "play or pause", playOrPause);
bind({ ",": -1, ".": 1 }, ", .", "one frame back or on", (by) => deck.step(by));
bind({ "[": -1, "]": 1 }, "[ ]", "slower or faster", speedBy);
bind({ r: 0 }, "r", "from the beginning", () => deck.seek(0).then(() => deck.play()));
bind({ m: 0 }, "m", "sound on or off", () => setLoud(!isLoud));
bind({ n: 0 }, "n", "a note at this frame", startNote);
bind({ "?": 0 }, "?", "these keys", showHelp);
byId("single-keys").addEventListener("change", ({ target }) => { areOn = target.checked; });

async function begin() {
  if (parcel) await introduce();
  await { pairs: startPairs, best: startBest, cull: startCull }[mode]();
}

// The token was for coming in; whoever looks at the screen need not see it.
if (location.search.includes("token=")) history.replaceState(null, "", `?mode=${mode}`);
begin();
