// Native dialogs: data-dialog="#id" opens, data-close closes, a press beside it closes, focus returns by itself.

/** Opens a dialog. Returns whether this page has it. */
export function openDialog(dialog) {
  if (!dialog) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.querySelector(opener.dataset.dialog);
    if (!dialog) return;
    event.preventDefault();
    opener.closest("details[data-menu]")?.removeAttribute("open");
    opener.closest("dialog")?.close();
    openDialog(dialog);
    return;
  }
  const dialog = event.target.closest("dialog");
  if (!dialog) return;
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  } else if (event.target === dialog && outside(dialog, event)) {
    dialog.close();
  }
});

function outside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return (
    event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom
  );
}

// A dialog that comes in an htmx answer opens when it is marked so, and leaves the page when it closes.
document.addEventListener("htmx:load", (event) => {
  const dialog = event.detail.elt;
  if (!dialog.matches?.("dialog[data-open]")) return;
  openDialog(dialog);
  dialog.addEventListener("close", () => dialog.remove());
});

// "Type the name to confirm": the act wakes when the name is right.
function checkName(input) {
  const act = input.form?.querySelector(".btn-danger");
  if (act) act.disabled = input.value.trim() !== input.dataset.confirm;
}
document.addEventListener("input", (event) => event.target.matches("[data-confirm]") && checkName(event.target));
for (const input of document.querySelectorAll("[data-confirm]")) checkName(input);
