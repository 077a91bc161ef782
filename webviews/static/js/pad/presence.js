/**
 * Whether somebody is at the pad. After two minutes without a touch or key it locks itself, and says so
 * shortly before; while somebody types, the session on the server is kept awake.
 */

const TICK_MS = 1_000;
const WARN_SECONDS = 15;
const TELL_EVERY_SECONDS = 21;

let isLocking = false;

export function watchPresence() {
  const locksAfter = Number(document.body.dataset.locksAfter);
  if (!locksAfter) return;
  const warning = document.querySelector("#lock-warning");
  let seenAt = Date.now();
  let toldAt = Date.now();

  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(
      kind,
      () => {
        seenAt = Date.now();
        warning.hidden = true;
      },
      { capture: true, passive: true },
    );
  }

  setInterval(() => {
    const idle = (Date.now() - seenAt) / 1000;
    if (idle >= locksAfter) {
      lock();
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

async function tell() {
  try {
    const response = await fetch("/pad/presence", { headers: { Accept: "application/json" } });
    // While it locks, the page is on its way there already.
    if (response.status === 401 && !isLocking) location.assign("/pad");
  } catch {
    // No network: the next step will say so.
  }
}

async function lock() {
  if (isLocking) return;
  isLocking = true;
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  try {
    await fetch("/pad/lock", {
      method: "POST",
      body: new URLSearchParams({ csrf }),
      headers: { Accept: "application/json", "X-CSRF-Token": csrf },
    });
    location.replace("/pad");
  } catch {
    // The session ends by itself; what stood on the screen must not stay there.
    document.querySelector("#content").replaceChildren();
    isLocking = false;
  }
}
