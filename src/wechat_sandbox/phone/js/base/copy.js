/* The texts of the page in the language chosen, from the sandbox's copy files. */
import { api } from "./api.js";

const LANGUAGES = ["zh_CN", "en"];
const KEPT_AS = "sandbox.language";
let texts = {};
let language = LANGUAGES[0];

function flatten(tree, prefix, into) {
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix ? `${prefix}.${key}` : key;
    if (value && typeof value === "object" && !Array.isArray(value)) flatten(value, name, into);
    else into[name] = value;
  }
  return into;
}

export function currentLanguage() {
  return language;
}

/** Load the language kept from last time, else Chinese; marks the document with it. */
export async function loadCopy(wanted = localStorage.getItem(KEPT_AS)) {
  language = LANGUAGES.includes(wanted) ? wanted : LANGUAGES[0];
  texts = flatten(await api.copy(language), "", {});
  localStorage.setItem(KEPT_AS, language);
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
  document.title = t("page.title");
}

/** The text under a key, {names} filled in; a missing key shows itself, so that it is noticed. */
export function t(key, values = {}) {
  const text = texts[key];
  if (typeof text !== "string") return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) =>
    name in values ? String(values[name]) : whole,
  );
}

/** Like `t`, or another text where there is none under the key. */
export function textOr(key, fallback) {
  return typeof texts[key] === "string" ? texts[key] : fallback;
}

const locale = () => (language === "en" ? "en-GB" : "zh-CN");

/** A moment as a chat shows it: only the time today, then yesterday, then the date. */
export function chatTime(iso) {
  const at = new Date(iso);
  const clock = at.toLocaleTimeString(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
  const day = new Date(at).setHours(0, 0, 0, 0);
  const today = new Date().setHours(0, 0, 0, 0);
  if (day === today) return clock;
  const aDay = 25 * 3600 * 1000;
  if (today > day && today - day <= aDay) return t("time.yesterday", { clock });
  return `${at.toLocaleDateString(locale(), { month: "short", day: "numeric" })} ${clock}`;
}

export function clockTime(iso, withSeconds = false) {
  const options = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (withSeconds) options.second = "2-digit";
  return new Date(iso).toLocaleTimeString(locale(), options);
}
