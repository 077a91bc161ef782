/**
 * Forms of the pad, sent without leaving the page: pressed once however often, what stands in the way
 * said in place, and for money (data-keep) the intention kept until it is answered.
 *
 * data-keep="same" is a charge that was asked about: its request is the one the member said yes to.
 *
 * Before a form is sent its own script may refuse: it listens to "pad:check", fills the fault with
 * showFault() and calls preventDefault().
 */
import { hasPending, newRequestId, postKept, settlePending } from "./pending.js";
import { post } from "./post.js";
import { playCharged, playRefused, playSuccess } from "./sounds.js";

const SOUNDS = { success: playSuccess, charged: playCharged };

export function wireForms(page) {
  for (const form of page.content.querySelectorAll("form[data-post]")) {
    if (isNewEachTime(form)) form.elements.request_id.value = newRequestId();
    form.noValidate = true;
    form.addEventListener("submit", (event) => onSubmit(event, form, page), { signal: page.signal });
  }
}

function isNewEachTime(form) {
  return form.matches('[data-keep]:not([data-keep="same"])');
}

async function onSubmit(event, form, page) {
  event.preventDefault();
  if (form.dataset.isSent) return;
  const isMoney = form.matches("[data-keep]");
  if (isMoney && hasPending()) {
    // What happened to the last amount is not known yet; a second one may be the same one.
    playRefused();
    settlePending(page);
    return;
  }
  const check = new CustomEvent("pad:check", { cancelable: true, detail: { submitter: event.submitter } });
  if (!form.dispatchEvent(check)) {
    playRefused();
    return;
  }
  hideFault(form);
  const body = bodyOf(form, event.submitter);
  setBusy(form, event.submitter, true);
  if (isMoney) {
    const isTold = await postKept(form, body, page, (answer) => onAnswer(answer, form, page));
    setBusy(form, event.submitter, false);
    if (!isTold) settlePending(page);
    return;
  }
  const answer = await post(form.action, body);
  if (page.signal.aborted) return;
  await onAnswer(answer, form, page);
  setBusy(form, event.submitter, false);
}

async function onAnswer(answer, form, page) {
  if (answer.next) {
    SOUNDS[form.dataset.sound]?.();
    if (document.body.dataset.locksAfter) await page.arrive(answer.next);
    else location.assign(answer.next);
    return;
  }
  if (answer.leave) {
    location.assign(answer.leave);
    return;
  }
  if (answer.code === "payment.confirmation_needed") {
    await page.arrive(`/pad/visits/${answer.detail.visit_id}/charges/${answer.detail.request_id}`);
    return;
  }
  playRefused();
  const visit = answer.code === "visit.unlikely_travel" && answer.detail?.visit_id;
  if (visit) {
    await page.arrive(`/pad/visits/${visit}`);
    return;
  }
  if (isNewEachTime(form)) form.elements.request_id.value = newRequestId();
  const [title, action] = sentences(answer.message);
  showFault(form, title, action, { retryAfter: answer.detail?.retry_after_seconds });
  form.dispatchEvent(new CustomEvent("pad:refused", { detail: answer }));
}

function bodyOf(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.set(submitter.name, submitter.value);
  return body;
}

function setBusy(form, submitter, isBusy) {
  if (isBusy) form.dataset.isSent = "yes";
  else delete form.dataset.isSent;
  const button = submitter ?? form.querySelector("button[type=submit]");
  if (!button) return;
  button.toggleAttribute("aria-busy", isBusy);
  if (isBusy) button.setAttribute("aria-busy", "true");
  const label = button.querySelector("span") ?? button;
  if (!button.dataset.working || label.childElementCount) return;
  if (isBusy) {
    button.dataset.words = label.textContent;
    label.textContent = button.dataset.working;
  } else if (button.dataset.words) {
    label.textContent = button.dataset.words;
  }
}

/** What happened, and what to do: the first sentence and the rest. */
function sentences(message) {
  const match = /^(.+?(?:[。！？]|[.!?](?=\s|$)))\s*(.*)$/s.exec(message);
  return match ? [match[1], match[2]] : [message, ""];
}

function faultOf(form) {
  return form.querySelector("[data-fault]") ?? form.parentElement.querySelector("[data-fault]");
}

/** Says in the page what stands in the way. */
export function showFault(form, title, action = "", { retryAfter } = {}) {
  const fault = faultOf(form);
  if (!fault) return;
  fault.querySelector("[data-fault-title]").textContent = title;
  fault.querySelector("[data-fault-action]").textContent = action;
  fault.hidden = false;
  if (retryAfter) fault.dataset.retryAfter = retryAfter;
  else delete fault.dataset.retryAfter;
  fault.scrollIntoView({ block: "nearest" });
}

export function hideFault(form) {
  const fault = faultOf(form);
  if (fault) fault.hidden = true;
}
