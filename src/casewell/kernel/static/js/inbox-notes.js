// Internal notes: the switch between answer and note, and naming a colleague with an @.
import { onArrival } from "./page.js";

function compose(as, focus = true) {
  const place = document.querySelector("[data-compose]");
  if (!place) return false;
  place.dataset.compose = as;
  if (focus) document.getElementById(as === "note" ? "note-body" : "composer-body")?.focus();
  return true;
}

onArrival("[data-compose-as]", (link) => {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    compose(link.dataset.composeAs);
  });
});

// Ctrl / from anywhere; Alt N also while typing, and Ctrl N where the browser hands it over.
document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  const now = document.querySelector("[data-compose]")?.dataset.compose;
  if (!now) return;
  if (command && event.key === "/") compose(now === "note" ? "reply" : "note");
  else if ((event.altKey || (command && !event.shiftKey)) && event.code === "KeyN") compose("note");
  else return;
  event.preventDefault();
});

onArrival("template[data-note-saved]", (template) => {
  const area = document.getElementById("note-body");
  if (area) area.value = "";
  const thread = document.querySelector("[data-thread]");
  if (thread) thread.scrollTop = thread.scrollHeight;
  template.remove();
});

// What stands between an @ and the caret, or null.
function beginning(area) {
  const before = area.value.slice(0, area.selectionStart);
  return /(?:^|[\s(])@([^@\n]{0,40})$/.exec(before)?.[1] ?? null;
}

onArrival("textarea[data-colleagues]", (area) => {
  const everyone = JSON.parse(area.dataset.colleagues);
  const few = JSON.parse(area.dataset.readersOfPrivileged);
  const list = document.createElement("ul");
  list.id = `${area.id}-colleagues`;
  list.className = "cw-mentions dropdown-menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Colleagues");
  area.after(list);
  area.setAttribute("aria-controls", list.id);
  area.setAttribute("aria-autocomplete", "list");
  let current = 0;

  const options = () => [...list.children];
  const close = () => {
    list.classList.remove("show");
    area.removeAttribute("aria-activedescendant");
  };
  const mark = () => {
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === current)));
    area.setAttribute("aria-activedescendant", options()[current].id);
  };
  const take = (name) => {
    const begun = beginning(area);
    const end = area.selectionStart;
    area.setRangeText(`${name} `, end - begun.length, end, "end");
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const look = () => {
    const begun = beginning(area);
    const names = area.form.elements.kind.value === "privileged" ? few : everyone;
    const found = begun === null ? [] : names.filter((name) => name.toLowerCase().split(/\s+/).some((part, at, parts) => parts.slice(at).join(" ").startsWith(begun.toLowerCase()))).slice(0, 6);
    if (!found.length || found[0] === begun) return close();
    list.replaceChildren(
      ...found.map((name, at) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${at}`;
        option.className = "dropdown-item";
        option.setAttribute("role", "option");
        option.textContent = name;
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(name);
        });
        return option;
      }),
    );
    current = 0;
    list.classList.add("show");
    mark();
  };
  area.addEventListener("input", look);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (!list.classList.contains("show") || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      current = (current + step + options().length) % options().length;
      mark();
    } else if (event.key === "Enter" || event.key === "Tab") take(options()[current].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
});
