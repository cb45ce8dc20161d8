// The list beside an open thread: which row is current, rows that changed, the pane a phone shows.
import { onArrival } from "./page.js";

const inbox = document.querySelector("[data-inbox]");

function markCurrent(client) {
  for (const row of document.querySelectorAll(".cw-conv[aria-current]")) row.removeAttribute("aria-current");
  document.querySelector(`.cw-conv[data-conversation="${client}"]`)?.setAttribute("aria-current", "true");
}

// A thread has come: its row is current, and on a phone it is what one sees.
onArrival("#thread[data-client]", (thread) => {
  markCurrent(thread.dataset.client);
  if (inbox) inbox.dataset.view = "thread";
});
onArrival("#list-pane", () => {
  const client = document.getElementById("thread")?.dataset.client;
  if (client) markCurrent(client);
});

// Focus in a row that leaves goes to the next one.
function leave(row) {
  if (!row) return;
  if (row.contains(document.activeElement)) (row.nextElementSibling ?? row.previousElementSibling)?.querySelector("a")?.focus();
  row.remove();
}

// A row as it stands now; an empty one has left the list. It moves to the top only where nobody is looking further down.
onArrival("template[data-row]", (template) => {
  const row = template.content.firstElementChild;
  const list = document.getElementById("conv-list");
  const old = document.getElementById(template.dataset.row);
  template.remove();
  if (!list) return;
  if (!row) {
    leave(old);
    return;
  }
  if (old) {
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(row);
    if (hadFocus) row.querySelector("a")?.focus();
  } else if (list.scrollTop === 0) {
    list.prepend(row);
  }
  window.htmx.process(row);
});
