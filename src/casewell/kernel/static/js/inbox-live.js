// New mail in an open inbox: a pill, or the list itself where one stands at its top. Focus and scroll stay.
import { onArrival } from "./page.js";
import { show, showCounts } from "./inbox-read.js";

onArrival("[data-new-pill]", (pill) => {
  const list = document.getElementById("conv-list");
  const inList = document.getElementById("list-pane")?.contains(document.activeElement);
  if (list?.scrollTop === 0 && !inList) setTimeout(() => pill.click());
});

onArrival("template[data-counts]", (template) => {
  showCounts(JSON.parse(template.dataset.counts));
  template.remove();
});

onArrival("template[data-told]", (template) => {
  show(document.getElementById("nav-notifications"), Number(template.dataset.told));
  template.remove();
});

// New messages at the end of a thread that stands at its end are brought into sight.
let atEnd = false;
document.addEventListener("htmx:oobBeforeSwap", () => {
  const thread = document.querySelector("[data-thread]");
  atEnd = thread !== null && thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (atEnd && event.detail.target?.matches?.("[data-thread]")) event.detail.target.scrollTop = event.detail.target.scrollHeight;
});

// "Sending in 6 s" counts down from what the server said, for this machine's clock may be wrong. What has
// really become of the message is asked of the server.
const leaves = new WeakMap();
onArrival("[data-leaves-in]", (state) => leaves.set(state, Date.now() + 1000 * Number(state.dataset.leavesIn)));
setInterval(() => {
  for (const state of document.querySelectorAll("[data-leaves-in]")) {
    const left = Math.ceil(((leaves.get(state) ?? Infinity) - Date.now()) / 1000);
    if (left <= 60) state.textContent = left > 0 ? `Sending in ${left} s` : "Sending";
  }
}, 1000);
