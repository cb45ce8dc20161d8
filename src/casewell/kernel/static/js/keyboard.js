// The keyboard map. Single keys work only when no field has focus, and one switch turns them off (WCAG 2.1.4).
// Any element can join: data-key="r" is clicked, or focused where it is a field; data-go="i" answers G then I.
import { isField, isVisible, keyed, onArrival, store } from "./page.js";
import { openDialog } from "./dialogs.js";
import { walk } from "./lists.js";
import { openPalette } from "./palette.js";
import { tick, tickRange } from "./selecting.js";
import { undoNewest } from "./toasts.js";

const SWITCH = "single-keys";
const SEQUENCE = 1200;
let goUntil = 0;

const singleKeysOn = () => store.get(SWITCH) !== "off";
const byKey = (key) => keyed().find((element) => element.dataset.key === key);
const marked = (name, key) => document.querySelector(`[${name}="${CSS.escape(key)}"]`);

onArrival("input[data-single-keys]", (toggle) => {
  toggle.checked = singleKeysOn();
  toggle.addEventListener("change", () => store.set(SWITCH, toggle.checked ? "on" : "off"));
});

const acts = {
  j: () => walk(1),
  k: () => walk(-1),
  z: undoNewest,
  x: tick,
  "shift+x": tickRange,
  "]": () => tab(1),
  "[": () => tab(-1),
  "/": () => focusOn(document.querySelector("main input[type=search]")) || openPalette(),
  "?": () => openDialog(document.getElementById("shortcuts")),
};

function focusOn(field) {
  if (!field || !isVisible(field)) return false;
  field.focus();
  field.select?.();
  return true;
}

function tab(step) {
  const links = [...(document.querySelector("[data-tabs]")?.querySelectorAll("a") ?? [])];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[at + step]?.click();
  return links.length > 0;
}

function press(element) {
  if (isField(element)) return focusOn(element);
  if (element.disabled) return false;
  element.focus?.();
  element.click();
  return true;
}

function pressed(event) {
  const shifted = event.shiftKey && /^[A-Z]$/i.test(event.key) ? "shift+" : "";
  return shifted + event.key.toLowerCase();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k" && !event.shiftKey && !event.altKey) {
    if (openPalette()) event.preventDefault();
    return;
  }
  if (command && event.key === "Enter") return send(event);
  // A field of a dialog that has closed keeps the focus until the browser draws again.
  const types = isField(event.target) && isVisible(event.target);
  if (command || event.altKey || types || !singleKeysOn()) return;
  if (document.querySelector("dialog[open]")) return;
  if (single(pressed(event))) event.preventDefault();
});

function single(key) {
  if (Date.now() < goUntil) {
    goUntil = 0;
    return follow(marked("data-go", key));
  }
  if (key === "g") {
    goUntil = Date.now() + SEQUENCE;
    return true;
  }
  const element = byKey(key);
  if (element) return press(element);
  return acts[key]?.() || follow(marked("data-anywhere", key));
}

// Links of the sidebar and the palette answer where these are out of sight, too.
function follow(link) {
  link?.click();
  return Boolean(link);
}

// Ctrl Enter sends the form of the text being written, Ctrl Shift Enter presses its "send and done".
function send(event) {
  const form = event.target.closest?.("form");
  if (!form?.querySelector("[data-send]")) return;
  event.preventDefault();
  const done = event.shiftKey ? form.querySelector("[data-send-done]") : null;
  if (done) done.click(); // htmx sends along which button it was, if it was clicked
  else form.requestSubmit();
}
