/**
 * Whether somebody is at the pad. After two minutes without a touch or key it locks itself, and says so
 * shortly before; while somebody types, the session on the server is kept awake. The session belongs to
 * every page of the pad that is open in this browser: a touch of one counts for all.
 */
import { beforeAgain, post } from "./post.js";

const TICK_MS = 1_000;
const WARN_SECONDS = 15;
const TELL_EVERY_SECONDS = 21;
const SEEN_KEY = "o2o.pad.seen";

let isLocking = false;

export function watchPresence() {
  const locksAfter = Number(document.body.dataset.locksAfter);
  if (!locksAfter) return;
  const warning = document.querySelector("#lock-warning");
  let seenAt = Date.now();
  let toldAt = Date.now();
  share(seenAt);

  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(
      kind,
      () => {
        if (isLocking) return;
        const now = Date.now();
        if (now - seenAt >= TICK_MS) share(now);
        seenAt = now;
        warning.hidden = true;
      },
      { capture: true, passive: true },
    );
  }

  setInterval(() => {
    if (isLocking) return;
    const idle = (Date.now() - Math.max(seenAt, seenElsewhere())) / 1000;
    if (idle >= locksAfter) {
      lock(warning);
      return;
    }
    const left = Math.ceil(locksAfter - idle);
    warning.hidden = left > WARN_SECONDS;
    if (!warning.hidden) {
      warning.textContent = document.body.dataset.autoLock.replace("{seconds}", left);
    }
    const sinceTold = (Date.now() - toldAt) / 1000;
    if (seenAt > toldAt && sinceTold >= TELL_EVERY_SECONDS) {
      toldAt = Date.now();
      tell();
    }
  }, TICK_MS);
}

function share(seenAt) {
  localStorage.setItem(SEEN_KEY, seenAt);
}

/** A moment still to come was noted before the clock was set right; it would keep the pad open. */
function seenElsewhere() {
  const seenAt = Number(localStorage.getItem(SEEN_KEY));
  return seenAt <= Date.now() ? seenAt : 0;
}

async function tell() {
  try {
    const response = await fetch("/pad/presence", { headers: { Accept: "application/json" } });
    // While it locks, the page is on its way there already.
    if (response.status === 401 && !isLocking) location.assign("/pad");
  } catch {
    // No network: the next step will say so.
  }
}

/** What stood on the screen goes at once, and no touch brings it back; the session ends as soon as it can. */
async function lock(warning) {
  isLocking = true;
  document.body.classList.add("is-locked");
  warning.hidden = true;
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  while ((await post("/pad/lock", new URLSearchParams({ csrf }))).isUnknown) {
    warning.textContent = document.body.dataset.locked;
    warning.hidden = false;
    await beforeAgain();
  }
  location.replace("/pad");
}
