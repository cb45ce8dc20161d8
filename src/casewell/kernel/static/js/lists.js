// Lists of rows: J and K walk.
import { isVisible } from "./page.js";

const rows = () => [...document.querySelectorAll("[data-list] [data-row], .cw-conv-list .cw-conv")].filter(isVisible);

/** Moves to the next (1) or previous (-1) row. Returns whether there are rows. */
export function walk(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const start = at >= 0 ? at : all.findIndex((row) => row.getAttribute("aria-current"));
  const next = all[Math.min(Math.max(start + step, 0), all.length - 1)];
  const target = next.matches("a, button") ? next : (next.querySelector("a[href]") ?? next);
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}
