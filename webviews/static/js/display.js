/**
 * The hall's display. It reads its board anew on every word from the server and every few seconds besides,
 * says calls it has not said yet, shows when it is cut off, and loads itself anew when the product comes
 * back or is another release. Nothing has to be touched but once, to let the browser speak.
 */
import { chime, makeVoice } from "./display/voice.js";

const LOOK_EVERY_MS = 10_000;
const PATIENCE_MS = 6_000;
// Cut off for longer than this, a page may be of an old release: it is loaded anew.
const LONG_AWAY_MS = 60_000;
// A call that is older was heard by whoever it was for, or is called again.
const SAID_WITHIN_SECONDS = 45;
const SAID_KEY = "o2o.display.said";

const hall = document.getElementById("hall");
const note = hall.querySelector("[data-offline-note]");
const words = hall.querySelector("[data-offline-words]");
const release = () => hall.querySelector("[data-board]").dataset.release;
const ownRelease = release();
const voice = makeVoice(hall);

let seenAt = Date.now();
let isReading = false;
let isAsked = false;

function clockText(at, options) {
  return at.toLocaleString(hall.dataset.language, { timeZone: hall.dataset.timezone, hour12: false, ...options });
}

function tick() {
  const now = new Date();
  hall.querySelector("[data-clock]").textContent = clockText(now, { hour: "2-digit", minute: "2-digit" });
  hall.querySelector("[data-date]").textContent = clockText(now, { month: "long", day: "numeric", weekday: "long" });
}

/** Reads the board; a word that comes meanwhile is not lost. */
async function look() {
  if (isReading) {
    isAsked = true;
    return;
  }
  isReading = true;
  try {
    await read();
  } finally {
    isReading = false;
  }
  if (isAsked) {
    isAsked = false;
    look();
  }
}

async function read() {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(hall.dataset.boardUrl, { signal: patience.signal, cache: "no-store" });
    // The address was taken back: the page says so, and how to get the new one.
    if (answer.status === 410) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    take(await answer.text());
  } catch {
    away();
  } finally {
    clearTimeout(timer);
  }
}

function take(text) {
  const awayFor = Date.now() - seenAt;
  seenAt = Date.now();
  note.hidden = true;
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-board]");
  if (!fresh) return;
  if (fresh.dataset.release !== ownRelease || awayFor > LONG_AWAY_MS) {
    location.reload();
    return;
  }
  const board = hall.querySelector("[data-board]");
  if (board.innerHTML !== fresh.innerHTML) board.replaceChildren(...fresh.childNodes);
  sayNew();
}

function away() {
  if (Date.now() - seenAt < PATIENCE_MS) return;
  words.textContent = hall.dataset.offline.replace("{time}", clockText(new Date(seenAt), { hour: "2-digit", minute: "2-digit" }));
  note.hidden = false;
}

function lastSaid() {
  return Number(localStorage.getItem(`${SAID_KEY}.${hall.dataset.store}`)) || 0;
}

/** Says what was called since the last time, the oldest first, each call once. */
function sayNew() {
  const calls = [...hall.querySelectorAll("[data-seq]")]
    .map((element) => ({ element, seq: Number(element.dataset.seq), at: Number(element.dataset.at) }))
    .sort((one, other) => one.seq - other.seq);
  const said = lastSaid();
  const latest = calls.at(-1)?.seq ?? 0;
  if (latest <= said) return;
  localStorage.setItem(`${SAID_KEY}.${hall.dataset.store}`, String(latest));
  const now = Date.now() / 1000;
  const fresh = calls.filter((call) => call.seq > said && now - call.at < SAID_WITHIN_SECONDS);
  if (fresh.length === 0) return;
  hall.querySelector(".hall-now")?.classList.add("is-new");
  chime(voice);
  for (const call of fresh) voice.say(call.element.dataset.said);
}

function listen() {
  const source = new EventSource(hall.dataset.live);
  source.addEventListener("queue.changed", look);
  source.addEventListener("open", look);
  source.addEventListener("error", () => {
    // The browser tries again by itself unless it was refused; then the link is looked at anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, LOOK_EVERY_MS);
    look();
  });
}

tick();
setInterval(tick, 1000);
setInterval(look, LOOK_EVERY_MS);
window.addEventListener("online", look);
document.addEventListener("visibilitychange", look);
listen();
sayNew();
