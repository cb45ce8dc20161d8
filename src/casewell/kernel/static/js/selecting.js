// Rows that can be ticked: X ticks the row in hand, Shift X all from the last one to it, Esc clears.
// The bar shows by itself while one is ticked, and posts them; here are the count, the keys and the range.
import { isField, isVisible, onArrival } from "./page.js";

const ticked = new Set(); // of values, so that rows that are renewed stay ticked
let last = null;

const boxes = () => [...document.querySelectorAll("[data-selectable] [data-tick]")].filter((box) => isVisible(box.closest("[data-selectable]")));
const rowOf = (element) => element?.closest?.("[data-selectable]");

function inHand() {
  const row = rowOf(document.activeElement) ?? rowOf(document.querySelector("[data-selectable] [aria-current]"));
  return row?.querySelector("[data-tick]") ?? null;
}

function set(box, on) {
  box.checked = on;
  if (on) ticked.add(box.value);
  else ticked.delete(box.value);
}

function tell() {
  const number = boxes().filter((box) => box.checked).length;
  for (const count of document.querySelectorAll("[data-bulk-count]")) count.textContent = number ? `${number} selected` : "";
}

function reach(box) {
  const all = boxes();
  const ends = [all.findIndex((other) => other.value === last), all.indexOf(box)];
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  for (const one of from < 0 ? [box] : all.slice(from, to + 1)) set(one, true);
  last = box.value;
  tell();
}

/** Ticks the row that has focus, else the current one, or takes it off again. Returns whether there is one. */
export function tick() {
  const box = inHand();
  if (!box) return false;
  set(box, !box.checked);
  last = box.value;
  tell();
  return true;
}

/** Ticks all rows from the one ticked last to the one in hand. Returns whether there is one. */
export function tickRange() {
  const box = inHand();
  if (box) reach(box);
  return Boolean(box);
}

function clear() {
  const any = ticked.size > 0;
  for (const box of boxes()) set(box, false);
  ticked.clear();
  tell();
  return any;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-tick]");
  if (box && event.shiftKey && box.checked) reach(box);
  if (event.target.closest("[data-bulk-clear]")) clear();
  if (event.target.closest("[data-select-all]")) {
    for (const one of boxes()) set(one, true);
    tell();
    inHand()?.focus();
  }
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick]")) return;
  set(event.target, event.target.checked);
  last = event.target.value;
  tell();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || isField(event.target) || document.querySelector("dialog[open]")) return;
  if (clear()) event.preventDefault();
});

// What came anew is ticked as it was; what is no longer listed is not done anything with.
onArrival("[data-tick]", (box) => {
  box.checked = ticked.has(box.value);
});
document.addEventListener("htmx:afterSettle", () => {
  const listed = new Set(boxes().map((box) => box.value));
  for (const value of ticked) if (!listed.has(value)) ticked.delete(value);
  tell();
});

// One stays where one is: beside the thread that is open.
document.addEventListener("submit", (event) => {
  const next = event.target.querySelector?.("[data-bulk-next]");
  if (next && !event.submitter?.hasAttribute("data-bulk-leaves")) next.value = location.pathname + location.search;
});
