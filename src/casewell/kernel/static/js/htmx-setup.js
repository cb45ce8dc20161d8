// htmx: the CSRF header, how waiting shows, where focus goes, and what a failure says.
import { csrfToken } from "./page.js";
import { showToast } from "./toasts.js";

const SHOW_WAITING_AFTER = 150;
const waiting = new WeakMap();

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});

// What a page asks by itself waits as long as the server says, and a little more, not all pages at once.
let quietUntil = 0;
const asksByItself = (element) => element.getAttribute?.("hx-trigger")?.startsWith("every ");
const BUSY = [429, 503];
const WAIT_UNLESS_TOLD = 30;

document.addEventListener("htmx:configRequest", (event) => {
  if (asksByItself(event.detail.elt) && Date.now() < quietUntil) event.preventDefault();
});

function holdBack(xhr) {
  const seconds = Number(xhr.getResponseHeader("Retry-After")) || WAIT_UNLESS_TOLD;
  quietUntil = Date.now() + seconds * 1000 * (1 + Math.random() / 2);
}

// Under 150 ms nothing shows; then a bar on the pane that will change.
document.addEventListener("htmx:beforeRequest", (event) => {
  const target = event.detail.target ?? event.detail.elt;
  const pane = target.closest?.("[data-pane]") ?? target;
  const timer = setTimeout(() => {
    pane.setAttribute("aria-busy", "true");
    pane.classList.add("cw-busy");
  }, SHOW_WAITING_AFTER);
  waiting.set(event.detail.xhr, { pane, timer });
});

document.addEventListener("htmx:afterRequest", (event) => {
  const wait = waiting.get(event.detail.xhr);
  if (!wait) return;
  clearTimeout(wait.timer);
  wait.pane.removeAttribute("aria-busy");
  wait.pane.classList.remove("cw-busy");
});

// An answer to hx-swap="none" may still bring toasts and other <template>s: they arrive out of sight.
const arrivals = document.createElement("div");
arrivals.hidden = true;
document.body.append(arrivals);
document.addEventListener("htmx:beforeSwap", (event) => {
  const swap = event.detail.requestConfig.elt.closest("[hx-swap]")?.getAttribute("hx-swap");
  if (swap !== "none") return;
  event.detail.target = arrivals;
  event.detail.swapOverride = "innerHTML";
});

// Focus stays where it was. Where its element is gone it goes to what asks for it: an error, a new heading.
let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  focused = document.activeElement;
});
document.addEventListener("htmx:afterSettle", (event) => {
  const root = event.detail.elt;
  const asks = root.matches?.("[data-focus]") ? root : root.querySelector?.("[data-focus]");
  if (asks) {
    asks.focus();
  } else if (focused && focused !== document.body && !focused.isConnected) {
    const again = focused.id && document.getElementById(focused.id);
    const heading = root.querySelector?.("h1, h2, h3");
    if (again) again.focus();
    else if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  }
  focused = null;
});

const offline = "You are offline. You can read and write. Your text is kept on this device. Try again when you are back.";
document.addEventListener("htmx:sendError", () => showToast({ text: offline, kind: "error" }));
document.addEventListener("htmx:timeout", () =>
  showToast({ text: "The server took too long. Nothing was lost. Try again.", kind: "error" }),
);

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (BUSY.includes(status) && asksByItself(event.detail.elt)) {
    holdBack(event.detail.xhr); // Nobody pressed anything, so nobody is told.
    return;
  }
  if (status === 401) {
    location.reload(); // Signed out meanwhile: the page asks to sign in, and drafts are kept.
    return;
  }
  showToast({ text: explanation(responseText) ?? generic(status), kind: "error" });
});

function explanation(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    const page = new DOMParser().parseFromString(text, "text/html");
    const what = page.querySelector(".cw-error");
    return what ? [...what.querySelectorAll("p")].map((line) => line.textContent.trim()).join(" ") : null;
  }
}

function generic(status) {
  if (status === 403) return "You may not do this. Ask the owner of your firm for access.";
  if (status === 404) return "This is no longer here. Reload the page to see what is.";
  if (status === 429) return "Too many tries. Wait a minute and try again.";
  return "This did not work, and nothing was changed. Try again.";
}
