/* Between people: what friends send one another and post in Moments, kept in this browser only. */
import { keep, onKeptElsewhere, recall } from "../base/kept.js";
import { get, set } from "../base/store.js";

const KEPT_AS = "social";
const KEPT_MAX = 200;
const EMPTY = { friends: {}, moments: [], seen: {} };

export function loadSocial() {
  set({ social: { ...EMPTY, ...recall(KEPT_AS, EMPTY) } });
  onKeptElsewhere(KEPT_AS, () => set({ social: { ...EMPTY, ...recall(KEPT_AS, EMPTY) } }));
}

function save(social) {
  keep(KEPT_AS, social);
  set({ social });
}

/** Both friends share one thread, whoever holds the phone. */
export function threadKey(one, other) {
  return [one, other].sort().join("+");
}

export function threadOf(one, other) {
  return get().social.friends[threadKey(one, other)] ?? [];
}

/** Send text or a card with a link from one person to another. */
export function sendToFriend(from, to, message) {
  const social = get().social;
  const key = threadKey(from, to);
  const item = { ...message, from, at: new Date().toISOString() };
  const thread = [...(social.friends[key] ?? []), item].slice(-KEPT_MAX);
  save({ ...social, friends: { ...social.friends, [key]: thread } });
}

export function postMoment(from, card) {
  const social = get().social;
  const moment = { ...card, from, at: new Date().toISOString() };
  save({ ...social, moments: [moment, ...social.moments].slice(0, KEPT_MAX) });
}

/** The friends this person has a thread with, latest first. */
export function friendsOf(person) {
  return get()
    .people.filter((other) => other.id !== person && threadOf(person, other.id).length)
    .map((friend) => ({ friend, last: threadOf(person, friend.id).at(-1) }));
}

export function unreadFromFriend(person, friend) {
  const last = get().social.seen[`${person}<${friend}`] ?? "";
  return threadOf(person, friend).filter((item) => item.from === friend && item.at > last).length;
}

export function markFriendSeen(person, friend) {
  if (!unreadFromFriend(person, friend)) return;
  const social = get().social;
  const last = threadOf(person, friend).at(-1).at;
  save({ ...social, seen: { ...social.seen, [`${person}<${friend}`]: last } });
}
