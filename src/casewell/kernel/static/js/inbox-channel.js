// The way an answer goes: chosen in the composer, remembered with its draft, and what it means for the text.
import { onArrival, store } from "./page.js";
import { keepDraftAs } from "./drafts.js";

const channelOf = (via) => via.split(":")[0];
const remembered = (area) => `draft-via:${area.dataset.draft.split(":")[0]}`;

function show(form, select) {
  const channel = channelOf(select.value);
  form.dataset.channel = channel;
  const label = form.querySelector("[data-via]");
  label.className = `cw-via cw-c-${channel}`;
  const against = document.querySelector("#reply-against > span");
  if (against) against.textContent = select.selectedOptions[0].dataset.against ?? "";
}

onArrival("#composer select[name=via]", (select) => {
  const form = select.form;
  const area = document.getElementById("composer-body");
  const suggested = select.value;

  const kept = store.get(remembered(area));
  if (kept && kept !== select.value && [...select.options].some((option) => option.value === kept)) {
    const draft = store.get(`draft:${area.dataset.draft.split(":")[0]}:${channelOf(kept)}`);
    if (draft && !area.value.trim()) {
      select.value = kept;
      keepDraftAs(area, channelOf(kept));
      show(form, select);
    }
  }

  select.addEventListener("change", () => {
    keepDraftAs(area, channelOf(select.value));
    show(form, select);
    const why = form.querySelector("[data-why]");
    if (why) why.textContent = select.value === suggested ? why.title : "Your choice for this message";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
  area.addEventListener("input", () => {
    if (area.value.trim()) store.set(remembered(area), select.value);
    else store.remove(remembered(area));
  });
});

// What a colleague wrote while nothing was written here yet is known: only what comes later is news.
onArrival("#composer-body", (area) => {
  let empty = !area.value.trim();
  area.addEventListener("input", () => {
    const seen = document.getElementById("reply-seen");
    const mark = document.querySelector("#thread-mark [name=thread_seen]");
    if (empty && seen && mark && Number(mark.value) > Number(seen.value)) seen.value = mark.value;
    empty = !area.value.trim();
  });
});

// A message taken back returns to the channel it was written for.
onArrival("#composer-body", (area) => {
  const select = area.form?.elements.via;
  const channel = area.dataset.draft.split(":")[1];
  if (!select || channelOf(select.value) === channel) return;
  const way = [...select.options].find((option) => channelOf(option.value) === channel);
  if (!way) return;
  select.value = way.value;
  show(area.form, select);
});

// Ctrl . takes the next channel.
document.addEventListener("keydown", (event) => {
  if (event.key !== "." || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
  const select = document.querySelector("#composer select[name=via]");
  if (!select || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  const others = [...select.options];
  const here = others.findIndex((option) => channelOf(option.value) !== channelOf(select.value) && option.index > select.selectedIndex);
  select.selectedIndex = here >= 0 ? here : 0;
  select.dispatchEvent(new Event("change", { bubbles: true }));
});
