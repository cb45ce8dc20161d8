// The client's messages: news without a reload, and a receipt for what was on the screen.
const log = document.querySelector("[data-changes]");
const EVERY = 15_000;

const rows = () => log.querySelector("[data-version]");
const atEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
const toEnd = () => window.scrollTo(0, document.documentElement.scrollHeight);

// Only once the page is really looked at; not while the tab is hidden.
async function confirmSeen() {
  const shown = rows();
  if (document.hidden || shown.dataset.unseen === "0") return;
  const form = new FormData();
  form.set("up_to", shown.dataset.newest);
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(log.dataset.seen, { method: "POST", body: form, headers: { "X-CSRFToken": token }, redirect: "manual" });
  if (answer.ok) shown.dataset.unseen = "0";
}

async function ask() {
  if (document.hidden) return;
  const address = `${log.dataset.changes}?version=${rows().dataset.version}`;
  const answer = await fetch(address, { redirect: "manual" });
  if (answer.status !== 200) return;
  const follow = atEnd();
  log.innerHTML = await answer.text();
  if (follow) toEnd();
  await confirmSeen();
}

if (log) {
  toEnd();
  // What can't be reached now is asked again the next time.
  const quietly = (act) => act().catch(() => {});
  quietly(confirmSeen);
  setInterval(() => quietly(ask), EVERY);
  document.addEventListener("visibilitychange", () => quietly(async () => { await ask(); await confirmSeen(); }));
}

// The paper clip's field is out of sight: what it holds is said under the line, and can be taken back.
const files = document.querySelector(".cw-portal-file");
const chosen = document.querySelector("[data-chosen]");
files?.addEventListener("change", () => {
  chosen.querySelector("[role=status]").textContent = [...files.files].map((file) => file.name).join(", ");
  chosen.hidden = files.files.length === 0;
});
chosen?.querySelector("button").addEventListener("click", () => {
  files.value = "";
  chosen.hidden = true;
  files.focus();
});
