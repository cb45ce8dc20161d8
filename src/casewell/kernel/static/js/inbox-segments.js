// How many segments a carrier will bill for a text, counted as it is written (3GPP TS 23.038 and 23.040).
import { onArrival } from "./page.js";

const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const TWICE = "^{}\\[~]|€\f";
const PLAIN = { "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "•": "-", "\t": " " };

/** Return {units, per, segments, odd}: `odd` is the first character that GSM-7 lacks, if any. */
export function segmentsOf(text) {
  const odd = [...text].find((char) => !BASIC.includes(char) && !TWICE.includes(char));
  if (odd !== undefined) return parts(text.length, 70, 67, odd);
  const units = [...text].reduce((sum, char) => sum + (TWICE.includes(char) ? 2 : 1), 0);
  return parts(units, 160, 153);
}

function parts(units, alone, joined, odd) {
  const segments = units <= alone ? 1 : Math.ceil(units / joined);
  return { units, per: segments === 1 ? alone : segments * joined, segments, odd };
}

onArrival("[data-segments]", (place) => {
  const area = place.closest("form").querySelector("textarea");
  const say = () => {
    const { units, per, segments, odd } = segmentsOf(area.value);
    place.textContent = units ? `${units} / ${per} · ${segments} segment${segments === 1 ? "" : "s"}` : "";
    if (odd === undefined) return;
    place.append(` · ${PLAIN[odd] ? `“${odd}” doubles the cost` : `“${odd}” needs Unicode`} `);
    if (!PLAIN[odd]) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = "Replace";
    button.addEventListener("click", () => {
      area.value = area.value.replace(/[‘’‚“”„–—…\u00a0•\t]/g, (char) => PLAIN[char]);
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    });
    place.append(button);
  };
  area.addEventListener("input", say);
  say();
});
