/**
 * The page of a number: follows it by an event stream while it is seen, by reading itself again where
 * there are no streams. Small changes are written into the page, another status reads it anew.
 */
import { readAnew } from "./live.js";
import "./joining.js";

const POLL_SECONDS = 15;
const AGAIN_SECONDS = 2;
const root = document.getElementById("ticket");
const words = JSON.parse(root.dataset.words);
let source = null;
let timer = null;
let wanted = false;
let reading = false;

const part = (name) => root.querySelector(`[data-part="${name}"]`);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

function write(name, text) {
  const place = part(name);
  if (place && place.textContent !== text) place.textContent = text;
}

async function read() {
  const fresh = await readAnew(root.dataset.page);
  const next = fresh?.getElementById("ticket");
  if (!next) return false;
  root.dataset.mark = next.dataset.mark;
  root.dataset.active = next.dataset.active;
  if (next.dataset.active === "no") stop();
  else write("state", source ? words.live : words.polling);
  return true;
}

// One reading at a time, so that none overtakes a later one; what fails is tried again, as the news
// that asked for it come only once.
async function catchUp() {
  wanted = true;
  if (reading) return;
  reading = true;
  for (let seconds = AGAIN_SECONDS; wanted; ) {
    wanted = false;
    const isRead = await read().catch(() => false);
    if (isRead) continue;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    seconds = Math.min(2 * seconds, POLL_SECONDS);
    wanted = source !== null;
  }
  reading = false;
}

function show(seen) {
  if (seen.mark !== root.dataset.mark) {
    // The part with the focus is not replaced; here it must be.
    if (root.contains(document.activeElement)) document.activeElement.blur();
    catchUp();
    return;
  }
  if (seen.status !== "waiting") return;
  const ahead = seen.ahead ?? 0;
  write("ahead", ahead ? filled(words.ahead, { n: ahead }) : words.next);
  if (seen.unit) write("wait", filled(words[(seen.low === "0" ? "within_" : "in_") + seen.unit], seen));
  const bar = part("bar");
  if (bar) {
    // The bar never shrinks: whoever is let past makes it longer.
    if (ahead + 2 > bar.max) bar.max = ahead + 2;
    bar.value = bar.max - ahead - 1;
  }
}

function poll() {
  if (timer === null) timer = setInterval(() => document.hidden || catchUp(), POLL_SECONDS * 1000);
}

function open() {
  if (source || document.hidden || root.dataset.active === "no") return;
  if (!window.EventSource) {
    poll();
    return;
  }
  source = new EventSource(root.dataset.stream);
  source.addEventListener("open", () => write("state", words.live));
  source.addEventListener("ticket", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    write("state", words.offline);
    // Refused for good (the session ended, no more streams): the page itself knows the way.
    if (source?.readyState === EventSource.CLOSED) {
      close();
      poll();
    }
  });
}

function close() {
  if (source) source.close();
  source = null;
}

function stop() {
  close();
  clearInterval(timer);
  timer = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
window.addEventListener("pagehide", stop);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) catchUp();
  open();
});
open();
