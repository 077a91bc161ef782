/* What one can do with the phone in hand: pick up, follow, scan, open a page, send. */
import { api } from "./base/api.js";
import { closeAllLayers } from "./base/layers.js";
import { keep, recall } from "./base/kept.js";
import { adjust, go, route } from "./base/route.js";
import { get, set } from "./base/store.js";
import { say, sayError } from "./base/toast.js";
import { t } from "./base/copy.js";
import { refreshChat } from "./chat/conversations.js";
import { codesAround } from "./desk/codes.js";
import { webAddress } from "./chat/rich_text.js";

/** The person whose phone is in hand, or null. */
export function inHand() {
  const { person } = route();
  return get().people.find((each) => each.id === person) ?? null;
}

export function accountBySlug(slug) {
  return get().accounts.find((account) => account.slug === slug) ?? null;
}

export function personById(id) {
  return get().people.find((person) => person.id === id) ?? null;
}

/** Pick up somebody's phone, where they left it. */
export function pickUp(id) {
  const now = route();
  if (now.person === id) return;
  closeAllLayers();
  const places = recall("places_left", {});
  if (now.person) keep("places_left", { ...places, [now.person]: now });
  go({ ...(places[id] ?? {}), person: id });
}

export async function loadPeople() {
  set({ people: await api.people() });
}

/** Do something that may be refused, and say so in words when it is. Answers undefined then. */
export async function trying(action) {
  try {
    return await action();
  } catch (error) {
    sayError(error);
    return undefined;
  }
}

/** Open an address as the person in hand. */
export function openPage(address) {
  const url = webAddress(address);
  if (url) adjust({ url });
  else say(t("web.bad_address"));
}

/** The account that a code's text belongs to, as far as this page knows; null for anything else. */
function accountOfCode(text) {
  return codesAround(get()).find((code) => code.text === text)?.account ?? null;
}

async function showFollowed(person, slug) {
  await loadPeople();
  // Meanwhile another phone may have been picked up, or another page opened.
  if (route().person === person && route().chat !== slug) go({ chat: slug });
  await refreshChat(person, slug);
}

async function scanText(person, text) {
  const expected = accountOfCode(text);
  // The chat opens before the account's greeting has come, for that may take its fifteen seconds.
  if (expected) go({ chat: expected });
  const result = await api.scan(person.id, text);
  if (result.action === "open") openPage(result.url ?? text);
  else if (result.action === "expired") say(t("scan.expired"));
  else if (result.account) await showFollowed(person.id, result.account);
  else say(t("scan.text", { text: result.text ?? text }));
}

/** What WeChat's scanner does with a code: follow, greet again, open a page, or show the text. */
export async function useScan(scanned) {
  const person = inHand();
  if (!person || !scanned) return;
  const text = scanned.text ?? scanned.code?.text;
  if (text) await trying(() => scanText(person, text));
  else await followAccount(scanned.code.account);
}

/** Follow an account, or open its chat when it is followed already. */
export async function followAccount(slug) {
  const person = inHand();
  if (!person) return;
  go({ chat: slug });
  await trying(async () => {
    if (!person.following.includes(slug)) await api.follow(person.id, slug);
    await showFollowed(person.id, slug);
  });
}

export async function unfollowAccount(slug) {
  const person = inHand();
  if (!person) return;
  await trying(async () => {
    await api.unfollow(person.id, slug);
    await loadPeople();
    go({ tab: "chats" });
    say(t("account.unfollowed"));
  });
}
