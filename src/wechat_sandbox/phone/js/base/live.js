/* The live stream of changes: server-sent events that come back by themselves after a break. */
import { set } from "./store.js";

const RETRY_MS = 1500;

/** Listen for ever; `onNotice` hears each change, `onGap` that some may have been missed. */
export function listen({ onNotice, onGap }, hadBreak = false) {
  const source = new EventSource("/_sandbox/stream");
  source.addEventListener("open", () => {
    set({ online: true });
    if (hadBreak) onGap();
    hadBreak = false;
  });
  source.addEventListener("message", (event) => {
    try {
      onNotice(JSON.parse(event.data));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  });
  source.addEventListener("error", () => {
    hadBreak = true;
    set({ online: false });
    // The browser retries a stream that broke; one that was refused it gives up, so begin anew.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => listen({ onNotice, onGap }, true), RETRY_MS);
    }
  });
}
