// What is opened counts as read: at once on the page, then on the server, never while the tab is hidden.
import { csrfToken, onArrival } from "./page.js";
import { showToast } from "./toasts.js";

const seen = () => (document.hidden ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true })) : null);

const rowOf = (client) => document.querySelector(`.cw-conv[data-conversation="${client}"]`);

export function showCounts(counts) {
  for (const [lane, number] of Object.entries(counts)) {
    for (const id of lane === "all" ? ["unread-all", "nav-unread"] : [`unread-${lane}`]) show(document.getElementById(id), number);
  }
  const words = document.querySelector("[data-unread-words]");
  if (words) words.textContent = counts.all ? `${counts.all.toLocaleString("en")} unread` : "";
  document.title = document.title.replace(/^Inbox( \([^)]*\))?/, counts.all ? `Inbox (${counts.all} unread)` : "Inbox");
}

export function show(badge, number) {
  if (!badge) return;
  badge.hidden = number === 0;
  badge.firstChild.textContent = number.toLocaleString("en");
}

async function markRead(address, client) {
  while (document.hidden) await seen();
  const row = rowOf(client);
  const badge = row?.querySelector(".cw-count");
  row?.classList.remove("cw-unread");
  if (badge) badge.hidden = true;
  try {
    const answer = await fetch(address, { method: "PUT", keepalive: true, headers: { "X-CSRFToken": csrfToken() } });
    if (!answer.ok) throw new Error(String(answer.status));
    badge?.remove();
    showCounts(await answer.json());
  } catch {
    row?.classList.add("cw-unread");
    if (badge) badge.hidden = false;
    showToast({ text: "This conversation could not be marked read. It stays unread.", kind: "error" });
  }
}

const openClient = () => document.getElementById("thread")?.dataset.client;

onArrival("form[data-mark-read]", (form) => markRead(form.dataset.markRead, openClient()));
onArrival("template[data-arrived]", (template) => {
  markRead(template.dataset.arrived, openClient());
  template.remove();
});
