// The theme changes at once; the form beside it tells the server.

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-form] button[name=theme]");
  if (!choice) return;
  document.documentElement.dataset.bsTheme = choice.value;
  for (const other of choice.form.querySelectorAll("button[name=theme]")) {
    other.setAttribute("aria-pressed", String(other === choice));
  }
});
