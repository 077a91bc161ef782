/**
 * Live updates: one event stream per page, closed while the page is hidden and opened again with it.
 * On a page with <script id="live" data-stream="…"> the parts marked data-live are read anew when the
 * member's balance changes.
 */

// A browser gives a stream up for good on any other answer than a stream, as while the product starts anew.
const TRY_AGAIN_MS = 2_000;
const TRY_AGAIN_MS_MAX = 60_000;

/**
 * Listens to a stream. `listeners` is {event name: function(data)}; `back` is called when the stream was
 * away and is there again: what was said meanwhile was not heard. Returns a function that ends it.
 */
export function openStream(url, listeners, back = () => {}) {
  let source = null;
  let timer = 0;
  let pause = TRY_AGAIN_MS;
  let wasOpen = false;

  function open() {
    clearTimeout(timer);
    if (source || document.hidden) return;
    source = new EventSource(url);
    source.addEventListener("open", opened);
    source.addEventListener("error", failed);
    for (const [name, listener] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => listener(parsed(event.data)));
    }
  }

  function opened() {
    pause = TRY_AGAIN_MS;
    if (wasOpen) back();
    wasOpen = true;
  }

  function failed() {
    if (source?.readyState !== EventSource.CLOSED) return; // It comes back by itself.
    close();
    timer = setTimeout(open, pause * (0.5 + Math.random())); // Not all pages in one moment.
    pause = Math.min(2 * pause, TRY_AGAIN_MS_MAX);
  }

  function close() {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  }

  function follow() {
    if (document.hidden) close();
    else open();
  }

  document.addEventListener("visibilitychange", follow);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", follow);
  open();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    window.removeEventListener("pagehide", close);
    window.removeEventListener("pageshow", follow);
    close();
  };
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * Reads this page (or `address`) anew and replaces the parts that have a live name; the reader's place
 * stays. Returns the page that was read, or null.
 */
export async function readAnew(address = location.href) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return null;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!next || part.contains(document.activeElement)) continue;
    part.replaceChildren(...next.childNodes);
    if (window.htmx) window.htmx.process(part);
  }
  return fresh;
}

const here = document.getElementById("live");
if (here) {
  const refresh = () => readAnew().catch(() => {}); // The figures shown stay until the next change.
  const listeners = {
    balance: refresh,
    points: refresh,
    charge_asked: (data) => location.assign(here.dataset.stream.replace(/live$/, `charges/${data.request_id}`)),
    visit_held: () => location.reload(), // The page asks whether it is the member at that counter.
  };
  openStream(here.dataset.stream, listeners, refresh);
  // A page that comes back from the browser's memory shows what was true when it was left.
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
}
