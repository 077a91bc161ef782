/**
 * Taking a number: the size chooses the line, the phone says where it is where the store asks, the
 * form is sent once. Stores are sorted by distance when somebody wants that. Counts stay fresh.
 */
import { readAnew } from "./live.js";
import { sayMissing } from "./missing.js";
import { loadSDK } from "./sharing.js";

const FRESH_SECONDS = 20;
const LOCATING_SECONDS_MAX = 12;
const page = document.getElementById("queue");
const sdk = JSON.parse(page.dataset.jssdk);
const form = page.querySelector("form[data-take]");
let config = null;

/** Where the phone is, in GCJ-02 as WeChat gives it. Rejects where nobody will say. */
async function locate() {
  const wx = await (config ??= configured().catch((error) => {
    config = null;
    throw error;
  }));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("late")), LOCATING_SECONDS_MAX * 1000);
    const refuse = () => {
      clearTimeout(late);
      reject(new Error("refused"));
    };
    wx.getLocation({
      type: "gcj02",
      success: (place) => {
        clearTimeout(late);
        resolve({ latitude: String(place.latitude), longitude: String(place.longitude) });
      },
      fail: refuse,
      cancel: refuse,
    });
  });
}

async function configured() {
  const url = location.href.split("#")[0];
  const answer = await fetch(`${sdk.config_url}?url=${encodeURIComponent(url)}`, {
    headers: { Accept: "application/json" },
  });
  if (!answer.ok) throw new Error("not signed");
  const signed = await answer.json();
  const wx = window.wx ?? (await loadSDK(sdk.sdk_url));
  await new Promise((resolve, reject) => {
    wx.ready(resolve);
    wx.error(reject);
    wx.config({
      debug: false,
      appId: signed.appId,
      timestamp: signed.timestamp,
      nonceStr: signed.nonceStr,
      signature: signed.signature,
      jsApiList: ["getLocation"],
    });
  });
  return wx;
}

function busy(button, words) {
  const before = button.textContent;
  button.setAttribute("aria-busy", "true");
  button.textContent = words;
  return () => {
    button.removeAttribute("aria-busy");
    button.textContent = before;
  };
}

function tell(place, words) {
  place.textContent = words;
  place.hidden = !words;
}

// ---- the stores by distance

const near = page.querySelector("[data-near]");
if (near) {
  near.hidden = false;
  const fault = page.querySelector("[data-near-fault]");
  near.addEventListener("click", async () => {
    const free = busy(near, near.dataset.busy);
    tell(fault, "");
    try {
      const here = await locate();
      const answer = await fetch(near.dataset.near, {
        method: "POST",
        headers: {
          "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content,
          "Content-Type": "application/x-www-form-urlencoded",
          Accept: "text/html",
        },
        body: new URLSearchParams(here),
      });
      if (!answer.ok) throw new Error("not sorted");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      page.querySelector("[data-stores]").replaceChildren(...fresh.body.childNodes);
      free();
      near.textContent = near.dataset.done;
      near.disabled = true;
    } catch {
      free();
      tell(fault, page.dataset.noLocation);
    }
  });
}

// ---- how many people, in which line

function fit(size) {
  let best = null;
  for (const line of form.querySelectorAll(".queue-line[data-min]")) {
    const radio = line.querySelector("input");
    const fits = size >= Number(line.dataset.min) && size <= Number(line.dataset.max);
    line.classList.toggle("is-small", !fits);
    if (!fits) radio.checked = false;
    const isBetter = !best || Number(line.dataset.max) < Number(best.dataset.max);
    if (fits && !radio.disabled && isBetter) best = line;
  }
  const chosen = form.querySelector(".queue-line input:checked");
  if (!chosen && best) best.querySelector("input").checked = true;
}

const size = form?.querySelector("#party-size");
if (size) {
  const steps = form.querySelectorAll("[data-step]");
  const settle = () => {
    const value = Number(size.value);
    for (const step of steps) {
      const next = value + Number(step.dataset.step);
      step.disabled = next < Number(size.min) || next > Number(size.max);
    }
    fit(value);
  };
  for (const step of steps) {
    step.addEventListener("click", () => {
      size.value = String(Math.min(Math.max(Number(size.value) + Number(step.dataset.step), size.min), size.max));
      settle();
    });
  }
  size.addEventListener("input", settle);
  // Another class, chosen by hand, brings the number of people along.
  form.addEventListener("change", (event) => {
    const line = event.target.closest(".queue-line[data-min]");
    if (!line || !event.target.checked) return;
    const value = Number(size.value);
    size.value = String(Math.min(Math.max(value, Number(line.dataset.min)), Number(line.dataset.max)));
    settle();
  });
  settle();
}

// ---- taking

if (form) {
  let isSent = false;
  const button = form.querySelector("button[type=submit]");
  const fault = form.querySelector("[data-take-fault]");
  sayMissing(form);
  form.addEventListener("submit", async (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    const wants = form.dataset.needsLocation;
    if (wants && !form.elements.latitude.value) {
      event.preventDefault();
      const free = busy(button, wants);
      tell(fault, "");
      try {
        const here = await locate();
        form.elements.latitude.value = here.latitude;
        form.elements.longitude.value = here.longitude;
        free();
        form.requestSubmit(button);
      } catch {
        free();
        tell(fault, page.dataset.noLocation);
      }
      return;
    }
    isSent = true;
    busy(button, button.dataset.busy);
  });
}

// ---- staying true

// Back from a number's page, or a page out of the browser's memory: what was shown may be over.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

/** Counts are written into the page; where lines opened or closed, or a number ended, it is another page. */
async function freshen() {
  const fresh = await readAnew();
  const shape = fresh?.getElementById("queue")?.dataset.shape;
  const isIdle = !form?.querySelector("[aria-busy]");
  if (shape && page.dataset.shape && shape !== page.dataset.shape && isIdle) location.reload();
}

setInterval(() => document.hidden || freshen().catch(() => {}), FRESH_SECONDS * 1000);
