// Looking closer: the loupe over all clips at once, and the source picture in the place of the clip.

const ZOOMS = [1, 2, 4, 8];
const loupe = { zoom: 1, x: 0.5, y: 0.5 };

function aimLoupe(x, y) {
  const within = (share) => Math.max(0, Math.min(share, 1));
  Object.assign(loupe, { x: within(x), y: within(y) });
  updateLoupe();
}

function updateLoupe() {
  const { style } = document.documentElement;
  style.setProperty("--zoom", loupe.zoom);
  style.setProperty("--aim", `${loupe.x * 100}% ${loupe.y * 100}%`);
  document.body.classList.toggle("loupe", loupe.zoom > 1);
  const { zoom } = loupe;
  byId("loupe").setAttribute("aria-pressed", String(zoom > 1));
  byId("loupe").dataset.zoom = zoom > 1 ? `${zoom}×` : "";
  remember(true);
}

// The loupe is over the originals: small copies have no more to show.
function nextZoom() {
  loupe.zoom = ZOOMS[(ZOOMS.indexOf(loupe.zoom) + 1) % ZOOMS.length];
  updateLoupe();
  if (!view.open) return loupe.zoom > 1 ? enliven() : mountVisible();
  return look && Promise.all([...screens.clips.keys()].map((video, at) => exchange(video, sourcesOf(jobs[pair[at]]))));
}

inAddress(
  () => (loupe.zoom > 1 ? [["loupe", [loupe.zoom, loupe.x.toFixed(3), loupe.y.toFixed(3)].join()]] : []),
  (all) => {
    const [zoom, x, y] = (all("loupe")[0] ?? "").split(",").map(Number);
    loupe.zoom = ZOOMS.includes(zoom) ? zoom : 1;
    aimLoupe(x || 0.5, y || 0.5);
  },
);

let isSourceShown = false;

// Lay the source picture over every clip that is on the screen.
function showSource(isShown) {
  if (isShown === isSourceShown) return;
  isSourceShown = isShown;
  byId("source").setAttribute("aria-pressed", String(isShown));
  document.querySelectorAll(".source").forEach((each) => each.remove());
  if (!isShown) return;
  const laid = view.open
    ? [...byId("view-stage").querySelectorAll(".fit")].map((box) => overlay(box, jobs[Number(box.dataset.index)]))
    : visible().map((cell) => overlay(cell.querySelector(".fit"), jobIn(cell)));
  if (!laid.some(Boolean)) say("No picture of these clips is beside this page");
}

function overlay(box, { source }) {
  if (!box || !source) return false;
  const picture = element("img", { className: "source", alt: "", src: source });
  picture.addEventListener("error", () => picture.remove());
  box.append(picture);
  return true;
}

// With a finger the loupe follows what is dragged.
document.addEventListener("pointermove", (event) => {
  const box = loupe.zoom > 1 && event.pointerType !== "mouse" && event.target.closest?.(".frame, .screen")?.querySelector(".fit");
  if (!box) return;
  const { left, top, width, height } = box.getBoundingClientRect();
  aimLoupe((event.clientX - left) / width, (event.clientY - top) / height);
});
