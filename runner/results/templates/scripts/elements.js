// Small helpers. All text goes into the page as text, never as markup.

const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.entries(attributes).forEach(([attribute, value]) => made.setAttribute(attribute, value));
  made.append(...children);
  return made;
}

function button(className, label, content, run) {
  const made = element("button", { type: "button", className, title: label, attributes: { "aria-label": label } }, content);
  if (run) made.addEventListener("click", run);
  return made;
}

// What happened, for everybody: on the screen for a moment, and read out.
let saying;
function say(text) {
  clearTimeout(saying);
  byId("said").textContent = text;
  saying = setTimeout(() => { byId("said").textContent = ""; }, 4000);
}
