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

function iconButton(name, label, testid, click) {
  return button(
    {
      class: "icon-button",
      "aria-label": label,
      title: label,
      "data-testid": testid,
      on: { click },
    },
    icon(name),
  );
}

function webBar(title, { reload, openMenu }) {
  return h(
    "header",
    { class: "title-bar web-bar" },
    h(
      "span",
      { class: "web-bar-side" },
      iconButton("close", t("nav.close"), "webview-close", close),
      // The pages inside the frame are part of the browser's history, so this steps through them.
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
}

/** What the page has told about itself, and the cards made of it when it is shared. */
function createCards(url) {
  const plain = { title: hostOf(url), description: url, url, image: "" };
  const told = {};
  return {
    plain,
    tell: (kind, card) => {
      told[kind] = card;
    },
    of: (kind) => {
      const card = told[kind] ?? told.friend ?? told.moments ?? {};
      return { ...plain, ...Object.fromEntries(Object.entries(card).filter(([, value]) => value)) };
    },
  };
}

function open(place, person, url) {
  const controller = new AbortController();
  const cards = createCards(url);
  const frame = createFrame(person, url);
  const title = h("h1", { class: "title-text" }, cards.plain.title);
  const loading = h("div", {
    class: "web-loading",
    role: "progressbar",
    "aria-label": t("web.loading"),
  });
  frame.addEventListener("load", () => loading.remove());
  let isMenuShown = true;
  const reload = () => {
    frame.before(loading);
    frame.src = openAs(person, url);
  };
  const openMenu = async () => {
    const page = { url, openAddress: openAs(person, url) };
    const all = { friend: cards.of("friend"), moments: cards.of("moments"), page };
    if ((await share(all, { isLimited: !isMenuShown })) === "reload") reload();
  };
  const view = {
    close,
    setShare: cards.tell,
    setTitle: (text) => {
      cards.plain.title = text || cards.plain.title;
      fill(title, cards.plain.title);
    },
    setMenuShown: (isShown) => {
      isMenuShown = isShown;
    },
  };
  bridge(frame, view, controller.signal);
  const body = h("div", { class: "web-body" }, loading, frame);
  const bar = webBar(title, { reload, openMenu });
  fill(place, h("section", { class: "web-view", "aria-label": t("web.page") }, bar, body));
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
  // What lies beneath the page is out of reach for keys and screen readers.
  for (const id of ["screen-place", "tabs"]) document.getElementById(id).inert = Boolean(key);
}
