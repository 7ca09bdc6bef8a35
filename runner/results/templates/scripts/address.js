// What one sees is in the address, behind #: #variables.surface=wet%20rock&rows=image&text=orbit&job=0123456789abcdef
// Each part of the page gives the pairs that it is in, and takes them back.

const parts = [];

// `write` gives pairs of a name and a text; `read` gets a function from a name to its texts.
function inAddress(write, read) {
  parts.push({ write, read });
}

function record() {
  const pairs = parts.flatMap(({ write }) => write());
  const hash = "#" + pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  if (hash !== (location.hash || "#")) history.replaceState(null, "", hash);
}

// Browsers refuse an address that changes many times a second: what changes with each frame is recorded later.
let recording;
function remember(later = false) {
  clearTimeout(recording);
  if (later) recording = setTimeout(record, 300);
  else record();
}

function recall() {
  const pairs = location.hash.slice(1).split("&").map((part) => {
    const [name, ...value] = part.split("=");
    return [decoded(name), decoded(value.join("="))];
  });
  const all = (wanted) => pairs.filter(([name]) => name === wanted).map(([, value]) => value);
  parts.forEach(({ read }) => read(all));
}

// A damaged link still opens the page.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
