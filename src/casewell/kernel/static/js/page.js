// What several modules need to know of the page.

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export const isField = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file])"));

export const isVisible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

/** What a key presses on this page now; what stands in a menu answers while the menu is closed. */
export const keyed = () =>
  [...document.querySelectorAll("[data-key]")].filter((element) => isVisible(element.closest("details[data-menu]") ?? element));

/** Runs `prepare` on what matches `selector` now and in every later htmx swap, once for each element. */
export function onArrival(selector, prepare) {
  const seen = new WeakSet();
  const look = (root) => {
    const found = [...(root.querySelectorAll?.(selector) ?? [])];
    if (root.matches?.(selector)) found.unshift(root);
    for (const element of found) {
      if (seen.has(element)) continue;
      seen.add(element);
      prepare(element);
    }
  };
  look(document);
  document.addEventListener("htmx:load", (event) => look(event.detail.elt));
}

/** Storage that may be full or forbidden: then nothing is kept, and nothing breaks. */
export const store = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // A full or closed store only costs the convenience.
    }
  },
  remove(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // See set.
    }
  },
};
