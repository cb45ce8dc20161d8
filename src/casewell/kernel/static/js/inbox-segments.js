// How many segments a carrier bills for a text, counted as it is written (3GPP TS 23.038 and 23.040).
import { onArrival } from "./page.js";

const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const TWICE = new Set("^{}\\[~]|€\f");
const PLAIN = { "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "…": "...", "•": "-", "\t": " " };
const PICTURE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f]$/u;
const MOST_NAMED = 4;

const isPlain = (char) => BASIC.has(char) || TWICE.has(char);

/** What stands for a character that GSM-7 lacks: "" for a picture, undefined where nothing does. */
function plainFor(char) {
  if (char in PLAIN) return PLAIN[char];
  if (/\p{Zs}/u.test(char)) return " ";
  if (PICTURE.test(char)) return "";
  const bare = char.normalize("NFKD").replace(/\p{M}/gu, "");
  return bare && [...bare].every(isPlain) ? bare : undefined;
}

/** Return {units, room, count, odd}: `odd` are the characters that made it UCS-2. */
export function segmentsOf(text) {
  const chars = [...text];
  const odd = [...new Set(chars.filter((char) => !isPlain(char)))];
  return odd.length
    ? { odd, ...parts(chars.map((char) => char.length), 70, 67) }
    : { odd, ...parts(chars.map((char) => (TWICE.has(char) ? 2 : 1)), 160, 153) };
}

// No character is cut in two by the end of a part.
function parts(widths, alone, joined) {
  const units = widths.reduce((sum, width) => sum + width, 0);
  if (units <= alone) return { units, room: alone, count: 1 };
  let count = 1;
  let filled = 0;
  for (const width of widths) {
    if (filled + width > joined) [count, filled] = [count + 1, 0];
    filled += width;
  }
  return { units, room: count * joined, count };
}

function named(odd) {
  const seen = odd.filter((char) => char !== "\u200d" && char !== "\ufe0f").slice(0, MOST_NAMED);
  return seen.map((char) => (char.trim() ? char : "a space of another kind")).join(" ");
}

onArrival("[data-segments]", (place) => {
  const area = place.closest("form").querySelector("textarea");
  const [sum, why] = [place.querySelector("[data-parts]"), place.querySelector("[data-odd]")];
  let told = "";
  const say = () => {
    const text = area.value.trim();
    const { units, room, count, odd } = segmentsOf(text);
    sum.textContent = text ? `${units} of ${room} · ${count} segment${count === 1 ? "" : "s"} · ${odd.length ? "UCS-2" : "GSM-7"}` : "";
    if (odd.join("") === told) return; // It is read out once, not with every key.
    told = odd.join("");
    why.replaceChildren();
    if (!odd.length) return;
    const which = document.createElement("b");
    which.textContent = named(odd);
    why.append("because of ", which, ` (160 without ${odd.length === 1 ? "it" : "them"})`);
    if (odd.every((char) => plainFor(char) !== undefined)) why.append(replacing(odd));
  };
  const replacing = (odd) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = odd.every((char) => plainFor(char) === "") ? "Remove" : "Replace";
    button.addEventListener("click", () => {
      area.value = [...area.value].map((char) => (isPlain(char) ? char : plainFor(char) ?? char)).join("");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    });
    return button;
  };
  area.addEventListener("input", say);
  say();
});
