// A note about what is seen at a frame.

const note = byId("note");

function startNote() {
  if (!isIn("shown")) return false;
  deck.pause();
  const labels = [...document.querySelectorAll(".letter")].map((each) => each.innerText);
  byId("note-title").textContent = `Note at ${deck.now().toFixed(2)} s`;
  byId("note-sides").replaceChildren(...(screens.length < 2 ? [] : labels.map((label, at) =>
    element("label", { className: "side" }, element("input", { type: "radio", name: "side", value: String(at), checked: at === 0 }), ` ${label}`))));
  byId("note-text").value = "";
  note.showModal();
  byId("note-text").focus();
  return true;
}

byId("note-form").addEventListener("submit", async () => {
  const text = byId("note-text").value.trim();
  const at = Number(document.querySelector("[name=side]:checked")?.value ?? 0);
  if (!text) return;
  const time = Math.round(Math.min(deck.now(), deck.seconds) * 1000) / 1000;
  if (await backend.say({ kind: "note", job: screens[at].clip.name, time, text })) say("Note kept");
});
byId("note-close").addEventListener("click", () => note.close());
onPress(byId("write"), startNote);
