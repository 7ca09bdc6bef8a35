// Clips in the sheet. One plays at a time: the one under the pointer, with the focus, or tapped once.

let playing = null;

function play(card) {
  const { clip, still } = jobs[card.dataset.index];
  if (!clip || isGif(clip) || playing?.closest(".card") === card) return;
  stop();
  playing = element("video", { className: "clip", muted: true, loop: true, playsInline: true, preload: "none", src: clip });
  if (still) playing.poster = still;
  playing.addEventListener("playing", () => card.classList.add("playing"));
  card.querySelector(".picture").append(playing);
  // If it was stopped before it began, or cannot be played, the picture stays.
  playing.play().catch(() => {});
}

function stop() {
  if (!playing) return;
  playing.closest(".card").classList.remove("playing");
  playing.pause();
  // Without a source, the browser frees the decoder at once instead of at its next garbage collection.
  playing.removeAttribute("src");
  playing.load();
  playing.remove();
  playing = null;
}

function cardOf(event) {
  return event.target.closest(".card");
}

// A clip without a thumbnail shows its own first frame when it comes near the visible part of the page.
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    const { clip } = jobs[target.dataset.index];
    const shot = { muted: true, playsInline: true, preload: "metadata", src: clip + "#t=0.01" };
    target.querySelector(".picture").prepend(isGif(clip) ? element("img", { src: clip, alt: "" }) : element("video", shot));
  }
}, { rootMargin: "50%" });
cards.filter((card) => jobs[card.dataset.index].clip && !jobs[card.dataset.index].still).forEach((card) => near.observe(card));

// How many cards are in a row at the present width.
function columns() {
  return getComputedStyle(sheet).gridTemplateColumns.split(" ").length;
}

function step(key) {
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() }[key];
}

let touched = false;
sheet.addEventListener("pointerdown", (event) => { touched = event.pointerType === "touch"; });
sheet.addEventListener("pointerover", (event) => {
  if (event.pointerType === "mouse" && !calm.matches && cardOf(event)) play(cardOf(event));
});
sheet.addEventListener("pointerout", (event) => {
  const card = cardOf(event);
  if (event.pointerType === "mouse" && card && !card.contains(event.relatedTarget)) stop();
});
sheet.addEventListener("focusin", (event) => {
  if (event.target.matches(":focus-visible") && !calm.matches) play(cardOf(event));
});
sheet.addEventListener("focusout", () => { if (!touched) stop(); });
sheet.addEventListener("click", (event) => {
  const card = cardOf(event);
  if (!card || String(getSelection())) return;
  const tapped = touched && !calm.matches && event.target.closest(".frame");
  if (tapped && jobs[card.dataset.index].clip && playing?.closest(".card") !== card) play(card);
  else show(Number(card.dataset.index));
});
sheet.addEventListener("keydown", (event) => {
  const by = step(event.key);
  if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
  const next = shown[shown.indexOf(Number(cardOf(event).dataset.index)) + by];
  if (next === undefined) return;
  event.preventDefault();
  cards[next].querySelector(".frame").focus();
});
// A missing thumbnail leaves an empty frame, not the browser's sign for a broken picture.
sheet.addEventListener("error", ({ target }) => { if (target.tagName === "IMG") target.remove(); }, true);
