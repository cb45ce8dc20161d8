// <textarea data-draft="key"> keeps its text on this device through reload and crash, until it is sent.
import { onArrival, store } from "./page.js";

const KEEP_AFTER = 300;
const name = (area) => `draft:${area.dataset.draft}`;

function say(area, text) {
  const state = area.form?.querySelector("[data-draft-state]");
  if (state) state.textContent = text;
}

function forget(form) {
  for (const area of form.querySelectorAll("textarea[data-draft]")) {
    clearTimeout(area.draftTimer);
    store.remove(name(area));
    store.remove(`draft-via:${area.dataset.draft.split(":")[0]}`);
    say(area, "");
  }
}

/** Another channel has a draft of its own; where it has none, what is written moves along. */
export function keepDraftAs(area, channel) {
  const was = name(area);
  clearTimeout(area.draftTimer);
  area.dataset.draft = `${area.dataset.draft.split(":")[0]}:${channel}`;
  const kept = store.get(name(area));
  if (kept) {
    if (area.value.trim()) store.set(was, area.value);
    area.value = kept;
    say(area, "Draft restored");
  } else if (area.value.trim()) {
    store.remove(was);
    store.set(name(area), area.value);
  }
}

onArrival("textarea[data-draft]", (area) => {
  const kept = store.get(name(area));
  if (kept && !area.value.trim()) {
    area.value = kept;
    say(area, "Draft restored");
  }
  area.addEventListener("input", () => {
    clearTimeout(area.draftTimer);
    area.draftTimer = setTimeout(() => {
      if (area.value.trim()) {
        store.set(name(area), area.value);
        say(area, `Draft saved ${new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit" })}`);
      } else {
        forget(area.form);
      }
    }, KEEP_AFTER);
  });
});

// Sent by htmx: forgotten when the server took it. Sent by a page load: the answer's page says so.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("form");
  const sent = event.detail.successful && event.detail.requestConfig.verb !== "get";
  if (form && sent) forget(form);
});
onArrival("[data-draft-sent]", (mark) => store.remove(`draft:${mark.dataset.draftSent}`));
