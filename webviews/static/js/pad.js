/**
 * The pad: one document whose content changes under the bar, so that a step costs no reload, the sound
 * and the camera stay allowed, and a lost connection shows words instead of the browser's own page.
 * Every page also works alone, loaded afresh or without scripts.
 */
import { lookAgain, sendWhenConfirmed, startPayPin } from "./pad/answer.js";
import { startCharge } from "./pad/charge.js";
import { startCountdowns } from "./pad/countdown.js";
import { startCounting } from "./pad/counting.js";
import { wireForms } from "./pad/forms.js";
import { hideOffline, showOffline } from "./pad/notice.js";
import { settlePending } from "./pad/pending.js";
import { watchPresence } from "./pad/presence.js";
import { startQueue } from "./pad/queue.js";
import { startSignIn } from "./pad/signin.js";
import { startScan } from "./pad/scanner.js";
import { beforeAgain, patiently, post } from "./pad/post.js";
import { listenForScanner } from "./pad/wedge.js";

const STARTS = {
  enrol: startSignIn,
  "sign-in": startSignIn,
  scan: startScan,
  receipt: startScan,
  visit: startCharge,
  answer: startPayPin,
  shift: startCounting,
  queue: startQueue,
};
let stop = new AbortController();

/**
 * Goes to a page of the pad without leaving the document; whatever is no such page is loaded whole.
 * Answers whether there was a network to go by.
 */
async function go(address, { isBack = false, offline = document.body.dataset.offline } = {}) {
  let page;
  let response;
  try {
    [response, page] = await patiently((signal) => load(address, signal));
  } catch {
    // The browser's own page would take away what stands here, and would not come back by itself.
    showOffline(offline);
    return false;
  }
  hideOffline();
  const content = page.querySelector("#content");
  const isSignedIn = page.body.dataset.locksAfter && document.body.dataset.locksAfter;
  if (!content || !isSignedIn) {
    location.assign(response.url);
    return true;
  }
  document.querySelector("#content").replaceWith(content);
  // Which tab it is, said where the eye looks for it.
  document.querySelector("#pad-tabs")?.replaceWith(page.querySelector("#pad-tabs"));
  wireTabs();
  document.title = page.title;
  if (!isBack) history.pushState(null, "", response.url);
  scrollTo(0, 0);
  start(content);
  return true;
}

/** Goes where an answer leads, however long the network is away: who sees no receipt charges again. */
async function arrive(address) {
  const offline = document.body.dataset.arriving;
  while (!(await go(address, { offline }))) await beforeAgain();
}

async function load(address, signal) {
  const response = await fetch(address, { headers: { Accept: "text/html" }, signal });
  return [response, new DOMParser().parseFromString(await response.text(), "text/html")];
}

function start(content) {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  const page = { content, go, arrive, signal };
  wireForms(page);
  wireLinks(page);
  startCountdowns(content, { signal, onEnd: () => go(location.pathname) });
  STARTS[content.dataset.page]?.(page);
  wirePrint(page);
  lookAgain(page);
  focusOn(content);
  if (document.body.dataset.locksAfter) {
    listenForScanner(page);
    settlePending(page);
    sendWhenConfirmed(page);
  }
}

function wireLinks({ content, signal }) {
  content.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[data-go]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(link.href);
    },
    { signal },
  );
}

/** The tabs stand outside of what changes; they lead on without leaving the document. */
function wireTabs() {
  for (const tab of document.querySelectorAll("#pad-tabs a")) {
    tab.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(tab.href);
    });
  }
}

function wirePrint({ content, signal }) {
  const button = content.querySelector("[data-print]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => print(button, content), { signal });
}

/** A receipt is counted before it is printed, so that a second one says what it is. */
async function print(button, content) {
  if (button.dataset.print) {
    const csrf = document.querySelector("meta[name=csrf-token]").content;
    const answer = await post(button.dataset.print, new URLSearchParams({ csrf }));
    if (answer.leave) location.assign(answer.leave);
    if (!answer.next) return;
    const copy = content.querySelector("[data-copy-mark]");
    if (copy) copy.hidden = answer.told.prints < 2;
  }
  window.print();
}

/** Content that came without a page load: focus goes where the page asks for it, else to the content. */
function focusOn(content) {
  const wanted = content.querySelector("[autofocus]:not([hidden])");
  if (wanted && wanted.offsetParent) wanted.focus();
  else if (document.activeElement === document.body) content.focus({ preventScroll: true });
}

window.addEventListener("popstate", () => go(location.href, { isBack: true }));
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
watchPresence();
wireTabs();
start(document.querySelector("#content"));
