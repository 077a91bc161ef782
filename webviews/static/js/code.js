/**
 * The member code: asks for one, shows it, renews it every half minute and whenever the page is seen
 * again, and says what happened once it was scanned. A code that still lives stays while the network
 * is away; after that the page says what to do.
 */
import { openStream, readAnew } from "./live.js";

const RENEW_SECONDS = 30;
const ANSWER_SECONDS_MAX = 8;
const RETRY_SECONDS = [1, 2, 4, 8, 15];
// A page that is looked at again keeps a code younger than this: switching apps costs no new one.
const FRESH_SECONDS = 5;

const sheet = document.getElementById("code");
const texts = JSON.parse(sheet.dataset.texts);
const part = (name) => sheet.querySelector(`[data-part="${name}"]`);
const [live, outcome, failure] = ["live", "outcome", "failure"].map(part);
const [picture, digits, countdown, ring] = ["picture", "digits", "countdown", "ring"].map(part);
const again = part("form").querySelector("button");

let shownAt = null; // performance.now() when the code on the screen was answered, null without one
let livesUntil = 0;
let renewAt = 0;
let failures = 0;
let asking = null;
let isLate = false; // The last renewal failed; the code shown is the one before.
let balanceFen = Number(sheet.dataset.balance);
let pushes = 0; // How many balances were pushed: a page asked for before one of them is older than it.
let serverAhead = 0; // The server's clock minus the phone's, in milliseconds.

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const yuan = (fen) => {
  const [whole, cents] = [Math.floor(Math.abs(fen) / 100), String(Math.abs(fen) % 100).padStart(2, "0")];
  return `¥${whole.toLocaleString("en-US")}.${cents}`;
};

const hasOutcome = () => outcome.hidden === false;

function show(state) {
  sheet.dataset.state = state;
  live.hidden = !["loading", "shown"].includes(state);
  outcome.hidden = state !== "scanned";
  failure.hidden = state !== "failed";
}

function draw(code) {
  const drawn = new DOMParser().parseFromString(code.qr_svg, "image/svg+xml").documentElement;
  picture.replaceChildren(document.importNode(drawn, true));
  const groups = code.digits.match(/.{1,4}/g).map((group) => {
    const span = document.createElement("span");
    span.textContent = group;
    return span;
  });
  digits.replaceChildren(...groups);
  digits.setAttribute("role", "img");
  digits.setAttribute("aria-label", filled(texts.spoken, { digits: [...code.digits].join(" ") }));
}

async function ask() {
  if (asking || hasOutcome()) return;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER_SECONDS_MAX * 1000);
  asking = stop;
  again.disabled = true;
  if (shownAt !== null && !isLate) countdown.textContent = texts.renewing;
  try {
    const answer = await fetch(part("form").action, {
      method: "POST",
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content,
      },
      signal: stop.signal,
    });
    // Sent elsewhere: there is no card any more, or no session. The page itself knows the way.
    if (answer.redirected) location.reload();
    else if (!answer.ok) await refused(answer);
    else taken(await answer.json());
  } catch {
    failed(navigator.onLine ? "failed" : "offline");
  } finally {
    clearTimeout(timer);
    asking = null;
    again.disabled = false;
  }
}

function taken(code) {
  if (hasOutcome()) return; // What happened meanwhile is not covered by a code.
  failures = 0;
  isLate = false;
  shownAt = performance.now();
  livesUntil = shownAt + code.seconds_left * 1000;
  renewAt = shownAt + Math.min(RENEW_SECONDS, code.seconds_left) * 1000;
  serverAhead = Date.parse(code.expires_at) - code.seconds_left * 1000 - Date.now();
  draw(code);
  show("shown");
  tick();
}

async function refused(answer) {
  const body = await answer.json().catch(() => ({}));
  // The session ended or belongs to somebody else: the page itself knows the way to a new one.
  if ([401, 403].includes(answer.status)) {
    countdown.textContent = texts.signed_out;
    location.reload();
    return;
  }
  const wait = Number(answer.headers.get("Retry-After")) || 0;
  failed("failed", { text: body.message, wait });
}

function failed(kind, { text = "", wait = 0 } = {}) {
  if (hasOutcome()) return;
  const pause = Math.max(wait, RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length - 1)]);
  failures += 1;
  renewAt = performance.now() + pause * 1000;
  isLate = true;
  if (shownAt !== null && performance.now() < livesUntil) return; // What is shown still works.
  shownAt = null;
  part("failure-title").textContent = texts[`${kind}_title`];
  part("failure-text").textContent = text || texts[`${kind}_text`];
  show("failed");
}

function tick() {
  const now = performance.now();
  const clock = new Date(Date.now() + serverAhead);
  part("clock").textContent = clock.toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  if (document.hidden || hasOutcome()) return;
  if (shownAt !== null && now >= livesUntil) failed(navigator.onLine ? "failed" : "offline");
  if (now >= renewAt) ask();
  else if (shownAt !== null && (isLate || !asking)) {
    const ends = isLate ? livesUntil : renewAt;
    const seconds = Math.ceil((ends - now) / 1000);
    countdown.textContent = filled(isLate ? texts.still_lives : texts.refreshes_in, { seconds });
    const share = Math.max(0, Math.min(1, (ends - now) / (RENEW_SECONDS * 1000)));
    ring.setAttribute("stroke-dashoffset", String(Math.round(100 * (1 - share))));
  }
}

function scanned(data) {
  tell(filled(texts.scanned_title, { store: data.store_name ?? "" }), texts.scanned_text);
}

/** Shows what happened in the place of the code; a new one that is on its way is not waited for. */
function tell(title, text) {
  shownAt = null;
  part("outcome-title").textContent = title;
  part("outcome-text").textContent = text;
  show("scanned");
  asking?.abort();
}

function tellBalance(title) {
  tell(title, filled(texts.balance_after, { amount: yuan(balanceFen) }));
}

/**
 * The balance as the books have it now. What went or came is the difference to the last one known:
 * messages may be lost or overtake each other, a balance was true when it was read.
 */
function moved(data) {
  if (!Number.isInteger(data.balance_fen)) return;
  pushes += 1;
  if (data.balance_fen === balanceFen) return;
  const amount = yuan(data.balance_fen - balanceFen);
  const title = data.balance_fen < balanceFen ? texts.charged_title : texts.topped_up_title;
  balanceFen = data.balance_fen;
  tellBalance(filled(title, { amount }));
}

function startAgain() {
  shownAt = null;
  failures = 0;
  isLate = false;
  renewAt = 0;
  outcome.hidden = true;
  picture.replaceChildren(Object.assign(document.createElement("div"), { className: "skeleton code-skeleton" }));
  digits.replaceChildren();
  digits.removeAttribute("aria-label");
  digits.removeAttribute("role");
  show("loading");
  ask();
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
for (const button of sheet.querySelectorAll("[data-act=again]")) button.addEventListener("click", startAgain);
document.addEventListener("visibilitychange", () => {
  const age = shownAt === null ? Infinity : performance.now() - shownAt;
  if (!document.hidden && age > FRESH_SECONDS * 1000) ask();
});
window.addEventListener("online", ask);
window.addEventListener("pageshow", (event) => event.persisted && startAgain());

// A scan in an unlikely place: the page asks its question when it is read anew.
const asked = () => location.reload();

// A charge asks for a yes on a page of its own.
const pay = (data) => location.assign(sheet.dataset.stream.replace(/live$/, `charges/${data.request_id}`));

/**
 * While the stream was away, as with the phone in a pocket, there may have been charges, top-ups and
 * questions: what is known is where the balance stands, not what moved it.
 */
async function missed() {
  const before = pushes;
  const fresh = await readAnew().catch(() => null); // What is shown stays until the next change.
  const known = fresh?.getElementById("code");
  if (!known || pushes !== before || Number(known.dataset.balance) === balanceFen) return;
  balanceFen = Number(known.dataset.balance);
  tellBalance(texts.changed_title);
}

openStream(sheet.dataset.stream, { scanned, balance: moved, visit_held: asked, charge_asked: pay }, missed);
setInterval(tick, 250);
if (sheet.dataset.state === "loading") ask();
