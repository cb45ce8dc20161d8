// Short messages at the edge: success leaves after 6 s, with Undo after 10 s, errors stay until closed.
import { onArrival } from "./page.js";

const SUCCESS = 6000;
const WITH_UNDO = 10000;
const AT_MOST = 3;
const region = document.getElementById("toasts");

/** Shows a toast. `undo` is the address that takes the act back. */
export function showToast({ text, kind = "success", undo = "" }) {
  const template = document.getElementById(kind === "error" ? "toast-error" : "toast-success");
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("[data-toast-text]").textContent = text;
  const form = toast.querySelector("[data-toast-undo]");
  if (undo && form) {
    form.action = undo;
    form.setAttribute("hx-post", undo);
  } else {
    form?.remove();
    toast.querySelector(".cw-toast-ring")?.remove();
  }
  add(toast);
}

function add(toast) {
  const twin = [...region.children].find((other) => other.textContent === toast.textContent);
  twin?.remove();
  region.append(toast);
  window.htmx?.process(toast);
  while (region.children.length > AT_MOST) region.firstElementChild.remove();
  start(toast);
}

/** Presses the newest Undo. Returns whether there was one. */
export function undoNewest() {
  const form = [...region.querySelectorAll("[data-toast-undo]")].at(-1);
  form?.requestSubmit();
  return Boolean(form);
}

function start(toast) {
  toast.querySelector("[data-toast-close]").addEventListener("click", () => close(toast));
  for (const form of toast.querySelectorAll("form")) {
    form.addEventListener("htmx:afterRequest", (event) => event.detail.successful && close(toast));
  }
  if (toast.dataset.toastItem === "error") return;
  const undoable = toast.querySelector("[data-toast-undo]");
  toast.classList.toggle("cw-toast-timed", Boolean(undoable));
  let left = undoable ? WITH_UNDO : SUCCESS;
  let timer;
  let since;
  const pause = () => {
    clearTimeout(timer);
    left -= performance.now() - since;
    toast.classList.add("cw-paused");
  };
  const run = () => {
    since = performance.now();
    timer = setTimeout(() => close(toast), Math.max(left, 1000));
    toast.classList.remove("cw-paused");
  };
  toast.addEventListener("pointerenter", pause);
  toast.addEventListener("pointerleave", run);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("focusout", run);
  run();
}

function close(toast) {
  const hadFocus = toast.contains(document.activeElement);
  toast.remove();
  if (hadFocus) document.getElementById("main")?.focus({ preventScroll: true });
}

if (region) {
  for (const toast of region.querySelectorAll("[data-toast-item]")) start(toast);
  // Two ways in: an HX-Trigger header {"toast": {...}}, and <template data-toast> inside an answer.
  document.addEventListener("toast", (event) => showToast(event.detail));
  onArrival("template[data-toast]", (template) => {
    for (const toast of [...template.content.children]) add(document.importNode(toast, true));
    template.remove();
  });
}
