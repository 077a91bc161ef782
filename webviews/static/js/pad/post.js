/** Sending a form as a script does, and what came of it. */

const PATIENCE_MS = 15_000;
const AGAIN_MS = 3_000;
const NOBODY_IN = ["session.invalid", "pad.locked", "pad.not_enrolled"];

/** Runs `ask` with a signal that gives up when the server has not answered in time; throws then. */
export async function patiently(ask) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    return await ask(patience.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits before somebody who was not answered asks once more. */
export function beforeAgain() {
  return new Promise((done) => setTimeout(done, AGAIN_MS));
}

/** Sends a form. Answers {next, told} | {leave} | {message, code, detail} | {message, isUnknown}. */
export async function post(action, body) {
  const words = document.body.dataset;
  try {
    const [response, told] = await patiently((signal) => send(action, body, signal));
    if (response.ok) return { next: told.next, told };
    if (NOBODY_IN.includes(told.code)) return { leave: "/pad" };
    // The page stood longer than its token lives.
    if (told.code === "csrf.token_missing") return { leave: location.href };
    if (response.status >= 500) return { message: told.message ?? words.busy, isUnknown: true };
    return { message: told.message, code: told.code, detail: told.detail };
  } catch {
    return { message: words.offline, isUnknown: true };
  }
}

async function send(action, body, signal) {
  const response = await fetch(action, {
    method: "POST",
    body,
    headers: { Accept: "application/json", "X-CSRF-Token": body.get("csrf") ?? "" },
    signal,
  });
  return [response, await response.json()];
}
