// The hints under the search box: each puts its operator where one writes on.
document.addEventListener("click", (event) => {
  const hint = event.target.closest("[data-search-hint]");
  if (!hint) return;
  const box = hint.closest("form").querySelector("input[type=search]");
  const operator = hint.dataset.searchHint;
  const before = box.value.trimEnd();
  box.value = before ? `${before} ${operator}` : operator;
  // Between the quotes, or behind the operator.
  const caret = operator === '""' ? box.value.length - 1 : box.value.length;
  box.focus();
  box.setSelectionRange(caret, caret);
  box.dispatchEvent(new Event("input", { bubbles: true }));
});
