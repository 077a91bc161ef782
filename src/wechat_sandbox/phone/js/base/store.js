/* What the page knows right now, and who wants to hear when it changes. */

const facts = {
  people: [],
  accounts: [],
  places: [],
  /** Messages by "person/account": {messages, loaded, seen}. */
  chats: {},
  /** Messages sent but not yet confirmed, by "person/account". */
  pending: {},
  /** Codes with a scene, by account slug. */
  sceneCodes: {},
  /** Menus by account slug. */
  menus: {},
  /** Who is writing right now, by "person/account". */
  typing: {},
  /** Text messages by person, and the seq of the last one looked at. */
  texts: {},
  textsSeen: {},
  /** Everything kept in this browser only: friends' chats, moments. */
  social: { friends: {}, moments: [], seen: {} },
  calls: [],
  books: null,
  faults: [],
  online: true,
  ready: false,
};

const watchers = new Set();
let isScheduled = false;

function tellWatchers() {
  isScheduled = false;
  for (const watcher of [...watchers]) {
    if (!watchers.has(watcher)) continue;
    const value = watcher.select(facts);
    if (Object.is(value, watcher.last)) continue;
    watcher.last = value;
    watcher.listener(value);
  }
}

/** The facts; treat them as read-only. */
export function get() {
  return facts;
}

/** Replace the named facts by new values; listeners hear of it together, once. */
export function set(changes) {
  Object.assign(facts, changes);
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(tellWatchers);
}

/** Change one entry of a fact that is a map. */
export function setIn(name, key, value) {
  set({ [name]: { ...facts[name], [key]: value } });
}

/** Call `listener` now and whenever what `select` picks is another value, until `signal` aborts. */
export function watch(select, listener, signal) {
  const watcher = { select, listener, last: select(facts) };
  watchers.add(watcher);
  signal?.addEventListener("abort", () => watchers.delete(watcher), { once: true });
  listener(watcher.last);
}
