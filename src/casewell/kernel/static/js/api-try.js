// The API page: sends a call as the person signed in, and shows the answer as it came.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function tryCall(form) {
  const method = form.dataset.apiTry;
  const query = new URLSearchParams();
  const headers = { Accept: "application/json" };
  let path = form.dataset.path;
  let body;
  for (const field of form.querySelectorAll("[data-in]")) {
    const value = field.value.trim();
    if (field.dataset.in === "body") body = value;
    else if (value === "") continue;
    else if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (field.dataset.in === "header") headers[field.name] = value;
    else query.append(field.name, value);
  }
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = token;
  const address = query.size ? `${path}?${query}` : path;
  const answer = await fetch(address, { method, headers, body });
  const text = await answer.text();
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // not JSON: shown as it is
  }
  return `${answer.status} ${answer.statusText}\n\n${shown}`;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-api-try]");
  if (!form) return;
  event.preventDefault();
  const place = form.querySelector(".cw-api-answer");
  place.hidden = false;
  place.textContent = "…";
  try {
    place.textContent = await tryCall(form);
  } catch {
    place.textContent = "The server did not answer. Check the connection and try again.";
  }
});
