// Where a row of tabs or chips scrolls, the current one is brought into sight.
import { onArrival } from "./page.js";

onArrival(":is(.cw-tabs, .cw-chips, .cw-settings-nav) [aria-current]", (tab) => {
  const row = tab.parentElement;
  row.scrollLeft = Math.max(0, tab.offsetLeft + tab.offsetWidth + 24 - row.clientWidth);
});
