// The page as its address says.

function restore() {
  recall();
  const wanted = { viewed, look, time: screens.time };
  filter();
  begin();
  if (wanted.look) showPair(wanted.look);
  else if (wanted.viewed !== null) show(wanted.viewed);
  else if (view.open) view.close();
  if (wanted.time || loupe.zoom > 1) goTo(wanted.time);
}

// Nothing may be in sight yet: what comes into sight is then loaded at this time.
async function goTo(time) {
  deck().pause();
  if (deck() === reel) isLive = true;
  await mountVisible();
  await deck().seek(time);
}

document.querySelector(".skip").addEventListener("click", (event) => {
  // Do not follow the link: the fragment of the address belongs to the filters.
  event.preventDefault();
  byId("sheet").focus();
});
addEventListener("hashchange", restore);
restore();
