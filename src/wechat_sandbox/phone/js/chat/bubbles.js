/* One message as it looks in a chat: a bubble, a card, or a line in the middle. */
import { button, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { chatTime, clockTime, t, textOr } from "../base/copy.js";
import { choice, richText, webAddress } from "./rich_text.js";

const MEDIA = (id) => `/mmbiz/${encodeURIComponent(id)}`;

function picture(src, alt, className) {
  const image = h("img", { class: className, src, alt, loading: "lazy" });
  const missing = () =>
    image.replaceWith(h("span", { class: `${className} picture-missing` }, icon("picture"), alt));
  image.addEventListener("error", missing, { once: true });
  return image;
}

function bubble(...content) {
  return h("div", { class: "bubble" }, ...content);
}

function imageBubble(message) {
  const src =
    webAddress(message.pic_url ?? "") ?? (message.media_id ? MEDIA(message.media_id) : "");
  return h("div", { class: "bubble bubble-picture" }, picture(src, t("chat.picture"), "picture"));
}

function voiceBubble(message) {
  const words = message.recognition ? h("p", { class: "voice-words" }, message.recognition) : null;
  return bubble(
    h("span", { class: "voice-bar" }, icon("voice", 20), h("span", {}, t("chat.voice"))),
    words,
  );
}

function placeBubble(message) {
  const [name, ...rest] = String(message.label || t("chat.place")).split("\n");
  return h(
    "div",
    { class: "bubble bubble-card place-card" },
    h("p", { class: "card-title" }, name),
    h(
      "p",
      { class: "card-note" },
      rest.join(" ") || `${message.lat ?? message.latitude}, ${message.lng ?? message.longitude}`,
    ),
    h("span", { class: "place-picture", "aria-hidden": "true" }, icon("place", 28)),
  );
}

function cardBubble(message, taps) {
  const url = webAddress(message.url ?? "");
  const picked = webAddress(message.image ?? message.pic_url ?? "");
  return button(
    { class: "bubble bubble-card link-card", disabled: !url, on: { click: () => taps.open(url) } },
    h("span", { class: "card-title" }, message.title || message.url || t("chat.link")),
    h(
      "span",
      { class: "card-row" },
      h("span", { class: "card-note" }, message.description || message.url || ""),
      picked
        ? picture(picked, "", "card-thumb")
        : h("span", { class: "card-thumb card-thumb-empty" }, icon("link")),
    ),
  );
}

function article(item, index, taps) {
  const url = webAddress(item.url ?? "");
  const src = webAddress(item.pic_url ?? item.picurl ?? "");
  return button(
    {
      class: index ? "article" : "article article-first",
      disabled: !url,
      on: { click: () => taps.open(url) },
    },
    src ? picture(src, "", "article-picture") : null,
    h(
      "span",
      { class: "article-words" },
      h("span", { class: "article-title" }, item.title),
      index || !item.description ? null : h("span", { class: "card-note" }, item.description),
    ),
  );
}

function newsCard(message, taps) {
  const items = message.articles ?? message.news?.articles ?? [];
  return h(
    "div",
    { class: "wide-card news" },
    items.map((item, index) => article(item, index, taps)),
  );
}

function templateCard(message, taps) {
  const url = webAddress(message.url ?? "");
  const rows = message.fields ?? [];
  const content = [
    h("span", { class: "template-title" }, message.title ?? t("chat.template")),
    h(
      "span",
      { class: "template-rows" },
      rows.map((row) =>
        h(
          "span",
          { class: "template-row" },
          h("span", { class: "template-label" }, row.label ?? row.name ?? row.key),
          h("span", { class: "template-value" }, row.value),
        ),
      ),
    ),
  ];
  if (!url) return h("div", { class: "wide-card template" }, content);
  const more = h("span", { class: "template-more" }, t("chat.details"), icon("chevron", 16));
  return button(
    { class: "wide-card template", on: { click: () => taps.open(url) } },
    content,
    more,
  );
}

function choices(message, taps) {
  const menu = message.msgmenu ?? message;
  return bubble(
    h("p", {}, richText(menu.head_content ?? "", taps)),
    (menu.list ?? []).map((item) => choice(item, taps)),
    menu.tail_content ? h("p", { class: "card-note" }, menu.tail_content) : null,
  );
}

function musicCard(message) {
  const song = message.music ?? message;
  return h(
    "div",
    { class: "bubble bubble-card" },
    h("p", { class: "card-title" }, song.title || t("chat.music")),
    h("p", { class: "card-note" }, song.description ?? ""),
  );
}

const SHAPES = {
  text: (message, taps) => bubble(richText(message.content ?? message.text?.content ?? "", taps)),
  image: imageBubble,
  voice: voiceBubble,
  video: () => bubble(h("span", { class: "voice-bar" }, icon("camera", 20), t("chat.video"))),
  location: placeBubble,
  link: cardBubble,
  card: cardBubble,
  news: newsCard,
  mpnewsarticle: newsCard,
  template: templateCard,
  msgmenu: choices,
  music: musicCard,
};
const WIDE = new Set(["news", "mpnewsarticle", "template"]);
// What people see nothing of in WeChat, or what the pane at the right already tells.
const UNSEEN_EVENTS = new Set(["LOCATION", "VIEW", "TEMPLATESENDJOBFINISH"]);

/** The kind that decides the shape: a customer-service message is shaped by its own type. */
function shapeOf(message) {
  const kind =
    message.kind === "custom" ? (message.type ?? message.msgtype ?? "text") : message.kind;
  return kind === "shortvideo" ? "video" : kind;
}

function lineText(message, account) {
  if (message.kind === "event") {
    const values = { account: account.name, key: taplabel(message, account) };
    return textOr(`chat.event.${message.event}`, null) === null
      ? null
      : t(`chat.event.${message.event}`, values);
  }
  if (message.kind === "transfer_customer_service") return t("chat.transferred");
  const known = message.code ? textOr(`chat.system.${message.code}`, null) : null;
  return known ?? message.content ?? message.text ?? message.kind;
}

function taplabel(message, account) {
  const buttons = (account.menu ?? []).flatMap((item) => [item, ...(item.sub_button ?? [])]);
  return buttons.find((item) => item.key === message.event_key)?.name ?? message.event_key ?? "";
}

/** A message as a list item, or null when a chat shows nothing for it. */
export function messageItem(message, { account, taps, face, isNew }) {
  const shape = shapeOf(message);
  const common = {
    "data-testid": "msg",
    "data-kind": message.kind,
    "data-direction": message.direction,
  };
  if (message.kind === "event" && UNSEEN_EVENTS.has(message.event)) return null;
  if (!(shape in SHAPES)) {
    const line = lineText(message, account);
    return line === null ? null : h("li", { ...common, class: "line" }, h("span", {}, line));
  }
  const isMine = message.direction === "out";
  const classes = ["message", isMine ? "mine" : "theirs"];
  if (WIDE.has(shape)) classes.push("wide");
  if (isNew) classes.push("arriving");
  const state = message.isPending
    ? h("span", { class: "on-its-way", role: "img", "aria-label": t("chat.sending") })
    : null;
  const who = isMine ? t("chat.you") : (account.name ?? "");
  return h(
    "li",
    { ...common, class: classes.join(" "), title: clockTime(message.at, true) },
    WIDE.has(shape) ? null : h("span", { class: "message-face" }, face(isMine)),
    h("span", { class: "sr-only" }, who),
    h("div", { class: "message-body" }, SHAPES[shape](message, taps), state),
  );
}

/** The line that tells the time above a group of messages. */
export function timeLine(iso) {
  return h("li", { class: "line time" }, h("time", { datetime: iso }, chatTime(iso)));
}

/** What a chat list shows of a message, in one line. */
export function summary(message, account) {
  const shape = shapeOf(message);
  if (shape === "text")
    return (message.content ?? message.text?.content ?? "").replace(/<[^>]*>/g, "");
  if (shape === "news" || shape === "mpnewsarticle")
    return (message.articles ?? [])[0]?.title ?? t("chat.link");
  if (shape === "template" || shape === "card" || shape === "link")
    return message.title ?? t("chat.link");
  if (shape === "msgmenu") return message.msgmenu?.head_content ?? message.head_content ?? "";
  if (shape in SHAPES) return t(`chat.brief.${shape}`);
  return lineText(message, account) ?? "";
}
