// The inbox's own scripts. Without them it reads and answers all the same, page by page.
import "./inbox-channel.js";
import "./inbox-composer.js";
import "./inbox-list.js";
import "./inbox-live.js";
import "./inbox-notes.js";
import "./inbox-presence.js";
import "./inbox-read.js";
import "./inbox-search.js";
import "./inbox-segments.js";
