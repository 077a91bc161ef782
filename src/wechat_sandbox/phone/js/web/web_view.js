/* The web view: a page opened as the person in hand, with the bar WeChat puts above it. */
import { openAs } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";
import { adjust, route } from "../base/route.js";
import { webAddress } from "../chat/rich_text.js";
import { bridge } from "./bridge.js";
import { share } from "./share.js";

let shown = null;

function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function close() {
  adjust({ url: null });
}

function createFrame(person, url) {
  return h("iframe", {
    class: "web-frame",
    "data-testid": "webview",
    title: t("web.page"),
    src: openAs(person, url),
    allow: "clipboard-write; fullscreen; autoplay",
  });
}

function open(place, person, url) {
  const controller = new AbortController();
  const cards = {};
  const plain = { title: hostOf(url), description: url, url, image: "" };
  const frame = createFrame(person, url);
  const title = h("h1", { class: "title-text" }, plain.title);
  const loading = h("div", { class: "web-loading", role: "progressbar", "aria-label": t("web.loading") });
  frame.addEventListener("load", () => loading.remove());
  let isMenuShown = true;
  const reload = () => {
    frame.before(loading);
    frame.src = openAs(person, url);
  };
  const cardFor = (kind) => {
    const told = cards[kind] ?? cards.friend ?? cards.moments ?? {};
    return { ...plain, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value)) };
  };
  const openMenu = async () => {
    const all = { friend: cardFor("friend"), moments: cardFor("moments"), page: { url, openAddress: openAs(person, url) } };
    if ((await share(all, { isLimited: !isMenuShown })) === "reload") reload();
  };
  const view = {
    close,
    setTitle: (text) => {
      plain.title = text || plain.title;
      fill(title, plain.title);
    },
    setShare: (kind, card) => {
      cards[kind] = card;
    },
    setMenuShown: (isShown) => {
      isMenuShown = isShown;
    },
  };
  bridge(frame, view, controller.signal);
  const iconButton = (name, label, testid, click) =>
    button({ class: "icon-button", "aria-label": label, title: label, "data-testid": testid, on: { click } }, icon(name));
  const bar = h(
    "header",
    { class: "title-bar web-bar" },
    h(
      "span",
      { class: "web-bar-side" },
      iconButton("close", t("nav.close"), "webview-close", close),
      iconButton("back", t("nav.back"), "webview-back", () => history.back()),
    ),
    title,
    h(
      "span",
      { class: "web-bar-side" },
      iconButton("reload", t("share.reload"), "webview-reload", reload),
      iconButton("more", t("share.title"), "webview-more", openMenu),
    ),
  );
  fill(place, h("section", { class: "web-view", "aria-label": t("web.page") }, bar, h("div", { class: "web-body" }, loading, frame)));
  return { key: `${person} ${url}`, end: () => controller.abort() };
}

/** Make the web view show what the address says: one page, or nothing. */
export function syncWebView(place) {
  const { person, url: asked } = route();
  const url = webAddress(asked ?? "");
  const key = person && url ? `${person} ${url}` : null;
  if (shown?.key === key || (!shown && !key)) return;
  shown?.end();
  shown = null;
  fill(place);
  if (key) shown = open(place, person, url);
  document.getElementById("screen").classList.toggle("covered", Boolean(key));
}
