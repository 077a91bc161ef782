/* The chat with an official account: messages, the input bar, the account's menu. */
import { api } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { accountFace, faceOf } from "../base/faces.js";
import { icon } from "../base/icons.js";
import { askForm, titleBar } from "../base/layers.js";
import { t } from "../base/copy.js";
import { go, route } from "../base/route.js";
import { get, setIn, watch } from "../base/store.js";
import { accountBySlug, inHand, openPage, trying, useScan } from "../acts.js";
import { createComposer, fillMenuBar } from "../chat/composer.js";
import {
  chatKey,
  conversation,
  markSeen,
  refreshChat,
  sendMessage,
} from "../chat/conversations.js";
import { createThread } from "../chat/thread.js";
import { choosePicture } from "../chat/pictures.js";
import { scan } from "../scan/scanner.js";
import { askPlace } from "../web/map.js";

const SCAN_TYPES = { QRCode: "qrcode" };

/** What tapping a menu button does, by the type the account gave it. */
function menuTaps(send) {
  const event = (name, item, fields = {}) =>
    send({ type: "event", event: name, event_key: item.key, ...fields });
  const scanned = (name) => async (item) => {
    const found = await scan(item.name);
    if (!found) return;
    const text = found.text ?? found.code?.text ?? "";
    await event(name, item, { scan_result: text, scan_type: SCAN_TYPES.QRCode });
    if (name === "scancode_push") await useScan(found);
  };
  const pictured = async (item) => {
    const dataUrl = await choosePicture();
    if (!dataUrl) return;
    await event(item.type, item, { fields: { SendPicsInfo: { Count: 1 } } });
    await send({ type: "image", data_url: dataUrl });
  };
  return {
    click: (item) => event("CLICK", item),
    view: (item) => {
      openPage(item.url);
      return send({ type: "event", event: "VIEW", event_key: item.url });
    },
    scancode_push: scanned("scancode_push"),
    scancode_waitmsg: scanned("scancode_waitmsg"),
    pic_sysphoto: pictured,
    pic_photo_or_album: pictured,
    pic_weixin: pictured,
    location_select: async (item) => {
      const place = await askPlace(item.name, inHand()?.location);
      if (!place) return;
      const info = {
        Location_X: String(place.lat),
        Location_Y: String(place.lng),
        Scale: "15",
        Label: place.name,
        Poiname: "",
      };
      await event("location_select", item, { fields: { SendLocationInfo: info } });
      await send({ type: "location", lat: place.lat, lng: place.lng, label: place.name });
    },
  };
}

async function speak(send) {
  const values = await askForm(
    t("voice.title"),
    [{ name: "words", label: t("voice.label"), required: false }],
    {
      submit: t("composer.send"),
      note: t("voice.note"),
    },
  );
  if (values)
    await send({
      type: "voice",
      format: "amr",
      ...(values.words ? { recognition: values.words } : {}),
    });
}

function extrasFor(send) {
  return [
    {
      id: "picture",
      icon: "picture",
      label: t("composer.picture"),
      run: async () => {
        const dataUrl = await choosePicture();
        if (dataUrl) await send({ type: "image", data_url: dataUrl });
      },
    },
    {
      id: "location",
      icon: "place",
      label: t("composer.location"),
      run: async () => {
        const place = await askPlace(t("map.send"), inHand()?.location);
        if (place)
          await send({ type: "location", lat: place.lat, lng: place.lng, label: place.name });
      },
    },
    { id: "scan", icon: "scan", label: t("scan.title"), run: async () => useScan(await scan()) },
    { id: "voice", icon: "voice", label: t("composer.voice"), run: () => speak(send) },
  ];
}

async function loadMenu(slug) {
  const answer = await api.menu(slug);
  setIn("menus", slug, answer?.menu?.button ?? []);
}

function aboutButton(slug) {
  return button(
    {
      class: "icon-button",
      "aria-label": t("account.about"),
      "data-testid": "account-about",
      on: { click: () => go({ chat: slug, view: "about" }) },
    },
    icon("user"),
  );
}

/** The title, which says that somebody is typing while they are. */
function titleOf(key, account, signal) {
  const title = h("span", {});
  const show = (isTyping) => fill(title, isTyping ? t("chat.typing") : account().name);
  watch((facts) => facts.typing[key], show, signal);
  return title;
}

function menuBarOf(slug, send, signal) {
  const bar = h("nav", { class: "menu-bar", "aria-label": t("chat.menu"), hidden: true });
  const taps = menuTaps(send);
  const show = (buttons) => fillMenuBar(bar, buttons ?? [], (item) => taps[item.type]?.(item));
  watch((facts) => facts.menus[slug] ?? null, show, signal);
  return bar;
}

export function accountChatScreen(signal) {
  const { person, chat: slug } = route();
  const key = chatKey(person, slug);
  const account = () => {
    const known = accountBySlug(slug) ?? { slug, name: slug };
    return { ...known, menu: get().menus[slug] };
  };
  const send = (message) => trying(() => sendMessage(person, slug, message));
  const answer = ({ content, bizmsgmenuid }) =>
    send({ type: "text", content, bizmsgmenuid: String(bizmsgmenuid) });
  const face = (isMine) =>
    isMine ? faceOf(inHand() ?? { id: person, name: "?" }) : accountFace(account());
  const context = { account, taps: { open: openPage, answer }, face };
  const thread = createThread(t("chat.with", { name: account().name }), context);
  const show = () => {
    thread.show(conversation(person, slug).messages, get().pending[key]);
    if (document.visibilityState !== "visible") return;
    queueMicrotask(() => !signal.aborted && markSeen(person, slug));
  };
  watch((facts) => facts.chats[key]?.messages, show, signal);
  watch((facts) => facts.pending[key], show, signal);
  document.addEventListener("visibilitychange", show, { signal });
  signal.addEventListener("abort", thread.stop);
  trying(() => Promise.all([refreshChat(person, slug), loadMenu(slug)]));
  const bar = { onBack: () => go({ tab: "chats" }), right: aboutButton(slug) };
  const composer = createComposer({
    onText: (content) => send({ type: "text", content }),
    extras: extrasFor(send),
    menu: menuBarOf(slug, send, signal),
  });
  return h(
    "section",
    { class: "screen chat-screen" },
    titleBar(titleOf(key, account, signal), bar),
    thread.element,
    composer,
  );
}
