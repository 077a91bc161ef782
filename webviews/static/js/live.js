/**
 * Live updates: one event stream per page, closed while the page is hidden and opened again with it.
 * On a page with <script id="live" data-stream="…"> the parts marked data-live are read anew when the
 * member's balance changes.
 */

/** Listens to a stream. `listeners` is {event name: function(data)}. Returns a function that ends it. */
export function openStream(url, listeners) {
  let source = null;

  function open() {
    if (source || document.hidden) return;
    source = new EventSource(url);
    for (const [name, listener] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => listener(parsed(event.data)));
    }
  }

  function close() {
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
  openStream(here.dataset.stream, {
    balance: refresh,
    points: refresh,
    charge_asked: (data) => location.assign(here.dataset.stream.replace(/live$/, `charges/${data.request_id}`)),
    visit_held: () => location.reload(), // The page asks whether it is the member at that counter.
  });
  // A page that comes back from the browser's memory shows what was true when it was left.
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
}
