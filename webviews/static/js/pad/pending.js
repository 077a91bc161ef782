/**
 * An intention about money, kept from before it is sent until it is answered, through reloads and lost
 * connections. Sent again with the same request_id it happens at most once, so asking again is safe:
 * the answer is either the receipt of the first time or a definite no.
 */
import { post } from "./post.js";
import { playCharged, playRefused } from "./sounds.js";

const KEY = "o2o.pad.pending";
const AGAIN_MS = 3_000;
let isAsking = false;

/** A UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random bits. */
export function newRequestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Keeps what is about to be sent. No name, phone or card goes into the browser's storage. */
export function keepPending(form, body) {
  const fields = Object.fromEntries(body);
  delete fields.csrf;
  const amount = `¥${form.dataset.amount || (fields.amount_yuan ?? fields.principal_yuan)}`;
  sessionStorage.setItem(KEY, JSON.stringify({ action: form.action, fields, amount }));
}

export function clearPending() {
  sessionStorage.removeItem(KEY);
  const note = document.querySelector("#pending");
  if (note) note.hidden = true;
}

export function hasPending() {
  return sessionStorage.getItem(KEY) !== null;
}

function pending() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    sessionStorage.removeItem(KEY);
    return null;
  }
}

/** Asks until it is known what became of the kept intention; shows the receipt, or says no. */
export async function settlePending(page) {
  if (isAsking || !hasPending()) return;
  isAsking = true;
  try {
    await askUntilKnown(page);
  } finally {
    isAsking = false;
  }
}

async function askUntilKnown(page) {
  for (let kept = pending(); kept; kept = pending()) {
    say(kept, document.body.dataset.unknown, document.body.dataset.unknownHint);
    const csrf = document.querySelector("meta[name=csrf-token]").content;
    const answer = await post(kept.action, new URLSearchParams({ ...kept.fields, csrf }));
    if (answer.leave) {
      location.assign(answer.leave);
      return;
    }
    if (!answer.isUnknown) {
      clearPending();
      if (answer.next) {
        playCharged();
        await page.go(answer.next);
      } else if (answer.code === "payment.confirmation_needed") {
        await page.go(`/pad/visits/${answer.detail.visit_id}/charges/${answer.detail.request_id}`);
      } else {
        playRefused();
        say(kept, document.body.dataset.settledNo, answer.message);
      }
      return;
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

function say(kept, words, hint) {
  const note = document.querySelector("#pending");
  const title = document.createElement("p");
  title.className = "notice-title";
  title.textContent = words.replace("{amount}", kept.amount);
  const more = document.createElement("p");
  more.textContent = hint;
  note.replaceChildren(title, more);
  note.hidden = false;
}
