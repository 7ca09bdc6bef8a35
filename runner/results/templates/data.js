// The jobs of the page, and small helpers. All text goes into the page as text, never as markup.

const byId = (id) => document.getElementById(id);
const { facets, jobs } = JSON.parse(byId("data").textContent);
const cards = [...document.querySelectorAll(".card")];
const sheet = byId("cards");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A GIF is a moving picture: no browser plays it as a video.
function isGif(clip) {
  return clip.endsWith(".gif");
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
