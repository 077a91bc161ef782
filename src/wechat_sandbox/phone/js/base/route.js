/* Where the person in hand is: kept in the address, so that reload and the Back button work. */

const FIELDS = ["person", "tab", "chat", "friend", "view", "url"];
const listeners = new Set();

function read() {
  const params = new URLSearchParams(location.hash.replace(/^#\/?/, ""));
  const route = {};
  for (const field of FIELDS) route[field] = params.get(field) || null;
  return route;
}

let current = read();

export function route() {
  return current;
}

function addressOf(next) {
  const params = new URLSearchParams();
  for (const field of FIELDS) if (next[field]) params.set(field, next[field]);
  return `#${params}`;
}

/** Go to a place on the phone; fields that are not named are left behind, except the person. */
export function go(next, { replace = false } = {}) {
  const address = addressOf({ person: current.person, ...next });
  if (address === location.hash) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  announce();
}

/** Change some fields of where we are and keep the others. */
export function adjust(changes, options) {
  go({ ...current, ...changes }, options);
}

function announce() {
  const before = current;
  current = read();
  for (const listener of listeners) listener(current, before);
}

export function onRoute(listener) {
  listeners.add(listener);
}

addEventListener("popstate", announce);
