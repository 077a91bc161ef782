/**
 * An intention about money, kept from before it is sent until its answer is in view: through reloads, lost
 * connections, and a closed tab, since it belongs to the pad and not to one of its pages. Sent again
 * with the same request_id it happens at most once, so asking again is safe: the answer is either the
 * receipt of the first time or a definite no.
 */
import { hideNotice, isNoticed, showNotice } from "./notice.js";
import { beforeAgain, post } from "./post.js";
import { playCharged, playRefused } from "./sounds.js";

const KEY = "o2o.pad.pending";
const ASKING = "asking";
/** Said of whoever asks and from where, before anybody looks at what became of the intention. */
const CANNOT_KNOW = ["staff.role_missing", "member.not_found", "store.not_found", "store.not_of_brand", "request.body_differs"];
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

/**
 * Sends money, kept until `tell` has shown the answer. Returns whether it did; where the last amount of
 * this pad is not settled yet, on whatever page, nothing is sent.
 */
export async function postKept(form, body, { signal }, tell) {
  return inTurn({ ifAvailable: true }, async (turn) => {
    if (!turn || hasPending()) return false;
    keep(form, body);
    const answer = await post(form.action, body);
    // A page that was left meanwhile cannot tell; the one that stands there now asks, and does.
    if (answer.isUnknown || signal.aborted) return false;
    await tell(answer);
    clearPending();
    return true;
  });
}

/** One page of the pad at a time sends or asks; without Web Locks (no HTTPS) the request_id guards alone. */
function inTurn(options, work) {
  return navigator.locks ? navigator.locks.request(KEY, options, work) : work({});
}

/** No name, phone or card goes into the browser's storage. */
function keep(form, body) {
  const fields = Object.fromEntries(body);
  delete fields.csrf;
  const amount = `¥${form.dataset.amount || (fields.amount_yuan ?? fields.principal_yuan)}`;
  localStorage.setItem(KEY, JSON.stringify({ action: form.action, fields, amount }));
}

function clearPending() {
  localStorage.removeItem(KEY);
  hideNotice();
}

export function hasPending() {
  return localStorage.getItem(KEY) !== null;
}

function pending() {
  const kept = parsed(localStorage.getItem(KEY));
  if (!kept) localStorage.removeItem(KEY);
  return kept;
}

function parsed(stored) {
  try {
    return JSON.parse(stored);
  } catch {
    return null;
  }
}

/** Asks until it is known what became of the kept intention; shows the receipt, or says no. */
export async function settlePending(page) {
  if (isAsking || !hasPending()) return;
  isAsking = true;
  try {
    while (!(await settledOnce(page))) await beforeAgain();
  } finally {
    isAsking = false;
  }
}

async function settledOnce(page) {
  await inView();
  const waiting = pending();
  if (!waiting) return true;
  say(waiting, document.body.dataset.unknown, document.body.dataset.unknownHint, ASKING);
  return inTurn({}, async () => {
    const kept = pending();
    return !kept || isSettledBy(await ask(kept), kept, page);
  });
}

/** The result is to be seen: a page that nobody looks at leaves it to the one in front of it. */
function inView() {
  if (!document.hidden) return undefined;
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

function ask(kept) {
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  return post(kept.action, new URLSearchParams({ ...kept.fields, csrf }));
}

/** Tells what the answer means; whether there is nothing left to be asked here. */
async function isSettledBy(answer, kept, page) {
  if (answer.isUnknown) return false;
  if (answer.leave) {
    location.assign(answer.leave);
    return true;
  }
  if (CANNOT_KNOW.includes(answer.code)) {
    // Whoever may take money at this pad will be told; at another store's nobody ever could be.
    if (answer.code !== "staff.role_missing") clearPending();
    say(kept, document.body.dataset.unsettled, document.body.dataset.unsettledHint);
    return true;
  }
  if (answer.next) {
    playCharged();
    await page.arrive(answer.next);
    clearPending();
  } else if (answer.code === "payment.confirmation_needed") {
    await page.arrive(`/pad/visits/${answer.detail.visit_id}/charges/${answer.detail.request_id}`);
    clearPending();
  } else {
    clearPending();
    playRefused();
    say(kept, document.body.dataset.settledNo, answer.message);
  }
  return true;
}

function say(kept, words, hint, kind) {
  showNotice(words.replace("{amount}", kept.amount), hint, kind);
}

/** Heard where another page of the pad got the answer that this one said it was waiting for. */
window.addEventListener("storage", (event) => {
  const kept = event.key === KEY && event.newValue === null && parsed(event.oldValue);
  if (!kept || !isNoticed(ASKING)) return;
  say(kept, document.body.dataset.settledElsewhere, document.body.dataset.settledElsewhereHint);
});
