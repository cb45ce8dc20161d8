// The composer: grows with its text, takes files by button, drop and paste, is emptied once a reply is queued.
import { csrfToken, onArrival } from "./page.js";
import { showToast } from "./toasts.js";

const phone = window.matchMedia("(max-width: 767px)");
const grow = (area) => {
  area.rows = Math.min(Math.max(area.value.split("\n").length + 1, phone.matches ? 2 : 3), 14);
};

// A thread that stands at its end stays there: what one answers must not slide under the answer.
const isAtEnd = (thread) => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
onArrival("#composer", (form) => {
  const thread = document.querySelector("[data-thread]");
  if (!thread) return;
  let atEnd = isAtEnd(thread);
  thread.addEventListener("scroll", () => { atEnd = isAtEnd(thread); }, { passive: true });
  new ResizeObserver(() => {
    if (atEnd) thread.scrollTop = thread.scrollHeight;
  }).observe(form);
});

onArrival("#composer-body", (area) => {
  grow(area);
  area.addEventListener("input", () => grow(area));
});

async function upload(input, files) {
  if (input.form.dataset.channel === "sms") {
    showToast({ text: input.form.querySelector("[data-no-files]").textContent, kind: "error" });
    return;
  }
  const form = new FormData();
  for (const file of files) form.append("files", file);
  input.closest("form").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(input.dataset.upload, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
      body: form,
    });
    const html = await answer.text();
    if (!answer.ok) {
      const page = new DOMParser().parseFromString(html, "text/html");
      throw new Error(page.querySelector(".cw-error")?.textContent.trim() || "The file could not be attached.");
    }
    window.htmx.swap("#reply-files", html, { swapStyle: "outerHTML" });
  } catch (error) {
    showToast({ text: `${error.message} Your text is kept.`, kind: "error" });
  } finally {
    input.closest("form")?.removeAttribute("aria-busy");
  }
}

onArrival("input[data-upload]", (input) => {
  const form = input.closest("form");
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // Kept on the server from here on: the form must not send them again.
    if (files.length) upload(input, files);
  });
  form.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    upload(input, files);
  });
  form.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("cw-drop");
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("cw-drop");
  });
  form.addEventListener("drop", (event) => {
    form.classList.remove("cw-drop");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    upload(input, [...event.dataTransfer.files]);
  });
});

onArrival("template[data-reply-sent]", (template) => {
  const area = document.getElementById("composer-body");
  if (area) {
    area.value = "";
    grow(area);
  }
  for (const copied of document.querySelectorAll("#composer [name=cc]")) {
    if (copied.type === "checkbox") copied.checked = false;
    else copied.value = "";
  }
  const thread = document.querySelector("[data-thread]");
  if (thread) thread.scrollTop = thread.scrollHeight;
  template.remove();
});
