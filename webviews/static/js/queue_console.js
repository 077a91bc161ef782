/** A store's figures, read anew every quarter of a minute while somebody looks; an address selects itself. */
const EVERY_MS = 15_000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const next = fresh.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
    if (next && !part.contains(document.activeElement)) part.replaceChildren(...next.childNodes);
  }
}

const look = () => refresh().catch(() => {}); // The figures shown stay until the network is back.
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
for (const field of document.querySelectorAll("input[data-select]")) {
  field.addEventListener("focus", () => field.select());
}
