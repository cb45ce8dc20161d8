// Which of the kit's CSS rules pages use. Run by `python -m casewell.kernel.assets`.
module.exports = {
  css: ["node_modules/@tabler/core/dist/css/tabler.min.css"],
  content: ["src/casewell/**/*.html", "src/casewell/kernel/static/js/*.js"],
  fontFace: true,
  keyframes: true,
  variables: true,
  safelist: {
    // Macros put these names together.
    standard: ["btn-primary", "btn-danger", "btn-ghost", "btn-sm"],
    // States that scripts and browsers set, not templates.
    greedy: [/^(show|fade|collaps|modal|dropdown|toast|data-bs)/],
  },
};
