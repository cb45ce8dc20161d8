// A thread opens at what was looked for, at its first unread line, or at its end.
import { onArrival } from "./page.js";

onArrival("[data-thread]", (thread) => {
  const sought = document.getElementById(thread.dataset.sought ?? "");
  const unread = thread.querySelector("#first-unread");
  if (sought) {
    sought.classList.add("cw-sought");
    sought.scrollIntoView({ block: "center" });
  } else if (unread) unread.scrollIntoView({ block: "start" });
  else thread.scrollTop = thread.scrollHeight;
});
