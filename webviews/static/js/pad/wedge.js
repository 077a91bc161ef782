/**
 * A hardware scanner types like a very fast person and ends with Enter. On pages without a scan box it
 * is heard wherever the focus is: the next member is served, and what it typed into a field goes again.
 */
import { hideNotice, isNoticed, showNotice } from "./notice.js";
import { playRefused, playSuccess } from "./sounds.js";
import { post } from "./post.js";

const CHARS_MIN = 16;
const BETWEEN_MS_MAX = 90;
const REFUSED = "scan-refused";

export function listenForScanner({ content, arrive, signal }) {
  // The page's own boxes know better: the scan box takes it, an amount says that this is no amount.
  if (content.querySelector("form[data-scan], [data-visit]")) return;
  let typed = "";
  let lastAt = 0;
  let field = null;
  let before = "";

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isInTime = event.timeStamp - lastAt <= BETWEEN_MS_MAX;
    lastAt = event.timeStamp;
    if (event.key === "Enter") {
      if (isInTime && typed.length >= CHARS_MIN) {
        event.preventDefault();
        event.stopPropagation();
        if (field) field.value = before;
        send(typed);
      }
      typed = "";
      return;
    }
    if (event.key.length !== 1) return;
    if (!isInTime || typed === "") {
      typed = "";
      field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement ? event.target : null;
      before = field?.value ?? "";
    }
    typed += event.key;
  }, { capture: true, signal });

  async function send(scanned) {
    const csrf = document.querySelector("meta[name=csrf-token]").content;
    const answer = await post("/pad/visits", new URLSearchParams({ scanned, csrf }));
    if (signal.aborted) return;
    const held = answer.code === "visit.unlikely_travel" && answer.detail?.visit_id;
    if (answer.leave) location.assign(answer.leave);
    else if (answer.next || held) {
      playSuccess();
      await arrive(answer.next ?? `/pad/visits/${held}`);
    } else {
      playRefused();
      say(answer.message);
    }
  }

  function say(message) {
    showNotice(message, "", REFUSED);
    signal.addEventListener("abort", () => {
      if (isNoticed(REFUSED)) hideNotice();
    });
  }
}
