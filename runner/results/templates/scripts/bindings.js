// The keys: a line for each with bind(), and the help shows them all.

const bindings = [];
let areOn = true;

// `keys`: from values of KeyboardEvent.key, with "Shift+" before where it is held, to what `run` gets; `shown`: how the
// help writes them. Where two have one key, the later is asked first. What `run` refuses with false goes to the one before,
// and at last to the browser: a mode refuses its keys while it is off.
function bind(keys, shown, does, run, release = null) {
  bindings.push({ keys, shown, does, run, release });
}

const help = byId("help");

function showHelp() {
  byId("help-keys").replaceChildren(...bindings.map(({ shown: keys, does }) =>
    element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, does))));
  help.showModal();
}

// Elements that need these keys themselves keep them.
function isTaken({ target, key }) {
  if (target.closest("form[method=dialog]")) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (target.matches("input:not([type=checkbox]), select, textarea")) return true;
  return key === " " && target.matches("button:not(.frame), summary, a, input");
}

function nameOfKey({ key, shiftKey }) {
  return key.startsWith("Arrow") && shiftKey ? `Shift+${key}` : key.length === 1 ? key.toLowerCase() : key;
}

function boundTo(name) {
  return bindings.filter(({ keys }) => name in keys).reverse();
}

document.addEventListener("keydown", (event) => {
  if (!areOn || help.open || event.altKey || event.ctrlKey || event.metaKey || isTaken(event)) return;
  if (event.repeat && !event.key.startsWith("Arrow")) return;
  const name = nameOfKey(event);
  if (boundTo(name).some(({ keys, run }) => run(keys[name]) !== false)) event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  boundTo(nameOfKey(event)).forEach(({ release }) => release?.());
  // A button acts when the space bar is let go.
  if (event.key === " " && event.target.matches?.(".frame")) event.preventDefault();
});
byId("ask").addEventListener("click", showHelp);
byId("help-close").addEventListener("click", () => help.close());
