/* Text as a chat shows it: `<a href>` and bare addresses become links, everything else stays
 * text. */
import { button, h } from "../base/dom.js";

const ANCHOR = /<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([\s\S]*?)<\/a\s*>/gi;
const ADDRESS = /https?:\/\/[^\s<>"'，。；、！？（）【】《》「」]+/gi;
const TRAILING = /[.,;:!?)\]}]+$/;
const MENU_SCHEME = "weixin://bizmsgmenu?";

/** An http(s) address in its normal form, or null for anything that must not be opened. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** What a `weixin://bizmsgmenu` link says when tapped, or null. */
function menuAnswer(href) {
  if (!href.startsWith(MENU_SCHEME)) return null;
  const params = new URLSearchParams(href.slice(MENU_SCHEME.length));
  const content = params.get("msgmenucontent");
  return content ? { content, bizmsgmenuid: params.get("msgmenuid") ?? "" } : null;
}

function link(label, onTap, href) {
  return h(
    "a",
    {
      class: "text-link",
      href: href ?? "#",
      rel: "noopener",
      on: {
        click: (event) => {
          event.preventDefault();
          onTap();
        },
      },
    },
    label,
  );
}

function withAddresses(text, taps) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = match[0].replace(TRAILING, "");
    const url = webAddress(shown);
    if (!url) continue;
    parts.push(
      text.slice(from, match.index),
      link(shown, () => taps.open(url), url),
    );
    from = match.index + shown.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function anchor(href, label, taps) {
  const answer = menuAnswer(href);
  if (answer) return link(label, () => taps.answer(answer));
  const url = webAddress(href);
  return url ? link(label, () => taps.open(url), url) : label;
}

/** Nodes and strings for a text; `taps` = {open(url), answer({content, bizmsgmenuid})}. */
export function richText(text, taps) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(ANCHOR)) {
    parts.push(...withAddresses(text.slice(from, match.index), taps));
    parts.push(anchor(match[1] ?? match[2] ?? "", match[3], taps));
    from = match.index + match[0].length;
  }
  parts.push(...withAddresses(text.slice(from), taps));
  return parts;
}

/** One choice of a message with choices. */
export function choice(item, taps) {
  return button(
    {
      class: "choice text-link",
      on: { click: () => taps.answer({ content: item.content, bizmsgmenuid: item.id }) },
    },
    item.content,
  );
}
