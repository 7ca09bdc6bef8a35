// The jobs of the page, and what is asked of them.

const { facets, jobs, meanings, serving } = JSON.parse(byId("data").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// A GIF is a moving picture: no browser plays it as a video.
function isGif(clip) {
  return clip.endsWith(".gif");
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function rounded(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : plain(value);
}

// Measures as people read them. Wobble says nothing without the motion that it is a part of.
function figures({ motion, wobble, duplicate_of: twin, ...others }) {
  const moving = wobble === null || wobble === undefined ? { motion } : { "motion, wobble": [motion, wobble].map(rounded).join(", ") };
  return Object.entries({ ...(typeof motion === "number" ? moving : {}), ...others })
    .filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, rounded(value)]);
}

function told(value) {
  return value === undefined || value === null ? "–" : rounded(value);
}

function promptOf(job) {
  return plain(job.payload.prompt ?? "");
}

// Width divided by height of a clip; that of the sheet's frames if it is not known.
function ratioOf({ video }) {
  const { frame } = document.documentElement.dataset;
  return video?.width && video.height ? video.width / video.height : Number(frame);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say(`The browser does not let this page copy; the ${what.toLowerCase()} is in the details`);
  }
}
