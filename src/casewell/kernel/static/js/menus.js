// Menus are <details>: scripts add arrows, Esc, and closing when focus or a press goes elsewhere.

const items = (menu) => [...menu.querySelectorAll(".dropdown-menu :is(a, button, input:not([type=hidden])):not(:disabled)")];

function close(menu, withFocus) {
  if (!menu.open) return;
  menu.open = false;
  if (withFocus) menu.querySelector("summary").focus();
}

document.addEventListener("pointerdown", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) close(menu, false);
  }
});

document.addEventListener("focusin", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) close(menu, false);
  }
});

document.addEventListener("click", (event) => {
  const item = event.target.closest("details[data-menu] .dropdown-menu :is(a, button)");
  if (item && !item.closest("[data-theme-form]")) close(item.closest("details[data-menu]"), false);
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (!menu) return;
  const onSummary = event.target.matches("summary");
  if (event.key === "Escape" && menu.open) {
    event.preventDefault();
    event.stopPropagation();
    close(menu, true);
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = items(menu);
  if (event.key === "Home" || event.key === "End") {
    if (!menu.open || event.target.matches("input")) return;
    event.preventDefault();
    all.at(event.key === "Home" ? 0 : -1)?.focus();
  } else if (step) {
    event.preventDefault();
    menu.open = true;
    const at = onSummary ? (step > 0 ? -1 : 0) : all.indexOf(document.activeElement);
    all.at((at + step + all.length) % all.length)?.focus();
  }
});

// A pane that scrolls would clip a menu inside it: an open one stands over the page, beside its button.
function place(menu) {
  const list = menu.querySelector(".dropdown-menu");
  const button = menu.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const up = menu.classList.contains("cw-menu-up") || button.bottom + height + 8 > innerHeight;
  const fits = up && button.top - height - 4 > 0;
  const left = menu.classList.contains("cw-menu-end") ? button.right - width : button.left;
  list.style.position = "fixed";
  list.style.inset = "auto";
  list.style.width = `${width}px`;
  list.style.left = `${Math.min(Math.max(left, 8), innerWidth - width - 8)}px`;
  list.style.top = `${fits ? button.top - height - 4 : Math.min(button.bottom + 4, innerHeight - height - 8)}px`;
}

// `toggle` and `scroll` do not bubble.
document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches?.("details[data-menu]")) return;
    if (event.target.open) place(event.target);
    else event.target.querySelector(".dropdown-menu").removeAttribute("style");
  },
  true,
);
document.addEventListener(
  "scroll",
  (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) close(menu, false);
    }
  },
  true,
);
