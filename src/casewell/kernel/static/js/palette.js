// The command palette: a combobox over the page's commands and what the server finds.
import { openDialog } from "./dialogs.js";
import { csrfToken, isField, isVisible, keyed } from "./page.js";

const ASK_AFTER = 150;
const FROM_LETTERS = 2;
const dialog = document.getElementById("palette");
const input = dialog?.querySelector("[role=combobox]");
const live = dialog?.querySelector("[data-palette-live]");
let timer;
let request;

/** Opens the palette. Returns whether this page has one. */
export function openPalette() {
  if (!dialog) return false;
  offerActs();
  openDialog(dialog);
  input.value = "";
  live.replaceChildren();
  narrow();
  input.focus();
  return true;
}

// What a key does on this page is a command too, so that people learn the key: first those of the client in sight.
const ONE_KEY = /^(shift\+)?[a-z]$/;
const acts = dialog?.querySelector("[data-palette-acts]");

function offerActs() {
  const context = document.querySelector("[data-context]")?.dataset.context ?? "";
  const anywhere = new Set([...dialog.querySelectorAll("[data-anywhere]")].map((option) => option.dataset.anywhere));
  const able = keyed().filter((element) => ONE_KEY.test(element.dataset.key) && !anywhere.has(element.dataset.key) && !element.disabled);
  // Of two for one key, such as while rows are ticked, the first is what the key presses.
  const found = able.filter((element, at) => able.findIndex((other) => other.dataset.key === element.dataset.key) === at);
  const group = document.getElementById("palette-act").content.firstElementChild.cloneNode(true);
  const pattern = group.querySelector("[role=option]");
  const menus = inMenus().map((item) => {
    const option = offer(item, pattern.cloneNode(true));
    option.dataset.whenSought = "";
    return option;
  });
  pattern.replaceWith(...found.map((element) => offer(element, pattern.cloneNode(true))), ...menus);
  if (context) {
    group.setAttribute("aria-label", context);
    group.querySelector(".cw-palette-group").textContent = context;
  }
  const any = found.length + menus.length > 0;
  acts.replaceChildren(...(any ? [group] : []));
  showContext(any ? context : "");
}

// What stands in the page's menus without a key is found by its words, and not in the way before.
function inMenus() {
  const items = document.querySelectorAll("main details[data-menu] .dropdown-item:not([data-key], [aria-current], :disabled)");
  return [...items].filter((item) => isVisible(item.closest("details")));
}

function inMenu(element) {
  const menu = element.closest("details[data-menu]")?.querySelector("summary");
  if (!menu || menu === element) return "";
  const name = menu.ariaLabel || named(menu);
  return /^More\b/.test(name) ? "" : `${name}: `;
}

function offer(element, option) {
  const words = element.dataset.act || element.title.replace(/ \(.*\)$/, "") || element.ariaLabel || named(element);
  option.querySelector(".cw-palette-label").textContent = inMenu(element) + words;
  for (const key of element.dataset.key?.split("+") ?? []) {
    const kbd = document.createElement("kbd");
    kbd.textContent = key[0].toUpperCase() + key.slice(1);
    option.querySelector(".cw-keys").append(kbd);
  }
  option.addEventListener("click", () => {
    dialog.close();
    element.focus();
    if (!isField(element)) element.click();
  });
  return option;
}

function named(element) {
  const copy = element.cloneNode(true);
  for (const kbd of copy.querySelectorAll("kbd")) kbd.remove();
  return copy.textContent.trim();
}

function showContext(name) {
  const badge = dialog.querySelector("[data-palette-context]");
  badge.textContent = name;
  badge.hidden = !name;
  dialog.querySelector("[data-palette-leave]").hidden = !name;
  dialog.querySelector("[data-palette-leave-name]").textContent = name;
}

const options = () => [...dialog.querySelectorAll("[role=option]")].filter((option) => isVisible(option));
const chip = () => dialog.querySelector("[data-palette-context]:not([hidden])");

function choose(option) {
  for (const other of dialog.querySelectorAll("[role=option]")) other.setAttribute("aria-selected", String(other === option));
  if (!option) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  option.id ||= `palette-${crypto.randomUUID()}`;
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

// Our own commands narrow at once, without the server; matching letters are marked.
function narrow() {
  for (const option of dialog.querySelectorAll(":is([data-palette-acts], [data-palette-static]) [role=option]")) {
    option.hidden = !mark(option) || ("whenSought" in option.dataset && !input.value.trim());
  }
  hideEmptyGroups();
  settle();
}

/** Marks what is wanted in an option's label. Returns whether it is there. */
function mark(option) {
  const wanted = input.value.trim().toLowerCase();
  const label = option.querySelector(".cw-palette-label");
  const text = label.textContent;
  const at = text.toLowerCase().indexOf(wanted);
  label.replaceChildren(...(at < 0 || !wanted ? [text] : marked(text, at, wanted.length)));
  return at >= 0;
}

function hideEmptyGroups() {
  for (const group of dialog.querySelectorAll("[role=group]")) {
    group.hidden = !group.querySelector("[role=option]:not([hidden])");
  }
}

function marked(text, at, length) {
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + length);
  return [text.slice(0, at), mark, text.slice(at + length)];
}

function settle() {
  const list = dialog.querySelector("#palette-list");
  list.hidden = false; // what stands in a hidden list is not in sight, and would never be found again
  const found = options();
  list.hidden = found.length === 0;
  dialog.querySelector("[data-palette-none]").hidden = found.length > 0;
  dialog.querySelector("[data-palette-status]").textContent = `${found.length} ${found.length === 1 ? "result" : "results"}`;
  choose(found[0] ?? null);
}

async function ask() {
  const wanted = input.value.trim();
  request?.abort();
  if (wanted.length < FROM_LETTERS) {
    live.replaceChildren();
    settle();
    return;
  }
  request = new AbortController();
  const body = new URLSearchParams({ q: wanted });
  try {
    const answer = await fetch(dialog.dataset.palette, {
      method: "POST",
      headers: { "HX-Request": "true", "X-CSRFToken": csrfToken() },
      body,
      signal: request.signal,
    });
    if (!answer.ok || answer.redirected) return;
    live.innerHTML = await answer.text();
    const shown = new Set(options().filter((option) => !live.contains(option)).map((option) => option.href));
    for (const option of live.querySelectorAll("[role=option]")) {
      mark(option);
      option.hidden = shown.has(option.href);
    }
    hideEmptyGroups();
    settle();
  } catch {
    // Aborted by the next letter, or offline: the page's own commands still work.
  }
}

input?.addEventListener("input", () => {
  narrow();
  clearTimeout(timer);
  timer = setTimeout(ask, ASK_AFTER);
});

input?.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    choose(all[(at + step + all.length) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    all[at]?.click();
  } else if (event.key === "Backspace" && !input.value && chip()) {
    acts.replaceChildren();
    showContext("");
    settle();
  }
});

dialog?.addEventListener("pointermove", (event) => {
  const option = event.target.closest("[role=option]");
  if (option && option.getAttribute("aria-selected") !== "true") choose(option);
});
dialog?.addEventListener("click", (event) => event.target.closest("[role=option]") && dialog.close());
document.addEventListener("click", (event) => event.target.closest("[data-palette-open]") && openPalette());
