// Under 1024 px the sidebar is a drawer, under 1280 px the rail: data-drawer="#id" opens it.
// Without scripts the same links open it by :target.

let openedBy = null;

function open(drawer, opener) {
  openedBy = opener;
  drawer.classList.add("cw-drawer-open");
  document.documentElement.classList.add("cw-has-drawer");
  for (const other of behind(drawer)) other.inert = true;
  drawer.querySelector("a, button, input")?.focus();
}

function close(drawer) {
  drawer.classList.remove("cw-drawer-open");
  document.documentElement.classList.remove("cw-has-drawer");
  for (const other of behind(drawer)) other.inert = false;
  (openedBy?.closest("details")?.querySelector("summary") ?? openedBy)?.focus(); // a closed menu holds no focus
  openedBy = null;
}

const behind = (drawer) =>
  [...drawer.parentElement.children, ...document.querySelectorAll(".cw-phonebar")].filter((other) => other !== drawer);
const current = () => document.querySelector(".cw-drawer-open");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-drawer]");
  const drawer = current();
  if (opener) {
    const wanted = document.querySelector(opener.dataset.drawer);
    if (!wanted) return;
    event.preventDefault();
    if (drawer) close(drawer);
    if (wanted !== drawer) open(wanted, opener);
  } else if (drawer && (event.target.closest("[data-drawer-close]") || !drawer.contains(event.target))) {
    event.preventDefault();
    close(drawer);
  }
});

document.addEventListener("keydown", (event) => {
  const drawer = current();
  if (event.key === "Escape" && drawer && !event.defaultPrevented) close(drawer);
});

// A wider window shows both in place.
window.matchMedia("(min-width: 1280px)").addEventListener("change", () => current() && close(current()));
