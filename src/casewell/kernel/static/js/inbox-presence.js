// Tells the server now and then that this conversation is open here, and whether something is being written.
import { onArrival } from "./page.js";

const STILL_WRITING = 12_000;
let typedAt = 0;

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("#composer-body, #note-body")) return;
  const began = Date.now() - typedAt > STILL_WRITING;
  typedAt = Date.now();
  const mark = document.getElementById("presence");
  if (began && mark) window.htmx.trigger(mark, "beat");
});

// A page nobody looks at says nothing: then its reader is not here.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.elt.matches?.("[data-presence]")) return;
  if (document.hidden) event.preventDefault();
  event.detail.parameters.set("typing", Date.now() - typedAt < STILL_WRITING ? "1" : "");
});

onArrival("[data-presence]", (mark) => {
  if (!mark.dataset.told) setTimeout(() => mark.isConnected && window.htmx.trigger(mark, "beat"));
});

// The list marks conversations that a colleague has open; a row that comes anew is marked again.
let present = {};
let marking = null;

function markRow(row) {
  row.querySelector(".cw-here")?.remove();
  const words = present[row.dataset.conversation];
  if (!words) return;
  const mark = marking.content.firstElementChild.cloneNode(true);
  mark.querySelector("span").textContent = words;
  mark.title = words;
  row.querySelector(".cw-conv-foot").prepend(mark);
}

onArrival("template[data-present]", (template) => {
  marking?.remove();
  marking = template;
  present = JSON.parse(template.dataset.present);
  document.querySelectorAll(".cw-conv[data-conversation]").forEach(markRow);
});
onArrival(".cw-conv[data-conversation]", (row) => marking && markRow(row));
