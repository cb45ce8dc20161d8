// Every page loads this one module. Reading works without it: links are links, forms are forms.
import "./htmx-setup.js";
import "./dialogs.js";
import "./menus.js";
import "./drawer.js";
import "./toasts.js";
import "./theme.js";
import "./keyboard.js";
import "./palette.js";
import "./drafts.js";
import "./tabs.js";
import "./threads.js";
