/* Chats with official accounts: fetched, kept up to date, counted as read or unread. */
import { api } from "../base/api.js";
import { keep, recall } from "../base/kept.js";
import { get, set, setIn } from "../base/store.js";

const inFlight = new Map();
let seen = recall("seen", {});

export function chatKey(person, account) {
  return `${person}/${account}`;
}

export function conversation(person, account) {
  return get().chats[chatKey(person, account)] ?? { messages: [], isLoaded: false };
}

async function fetchNew(person, account, key) {
  const known = conversation(person, account).messages;
  const after = known.length ? known[known.length - 1].seq : 0;
  const { messages } = await api.chat(person, account, after);
  const fresh = messages.filter((message) => message.seq > after);
  if (fresh.length || !conversation(person, account).isLoaded) {
    const now = conversation(person, account).messages;
    setIn("chats", key, { messages: [...now, ...fresh], isLoaded: true });
    dropConfirmed(key, fresh);
  }
}

/** Bring one chat up to date; calls that come while one runs are answered by one more round. */
export async function refreshChat(person, account) {
  const key = chatKey(person, account);
  const running = inFlight.get(key);
  if (running) {
    running.again = true;
    return running.done;
  }
  const round = { again: false, done: null };
  inFlight.set(key, round);
  round.done = (async () => {
    try {
      do {
        round.again = false;
        await fetchNew(person, account, key);
      } while (round.again);
    } finally {
      inFlight.delete(key);
    }
  })();
  return round.done;
}

/** What was seen is kept under the openid, so that a sandbox begun anew does not inherit it. */
function seenKey(person, account) {
  const holder = get().people.find((each) => each.id === person);
  return holder?.openids?.[account] ?? chatKey(person, account);
}

/** How many messages of this account the person has not looked at. */
export function unreadCount(person, account) {
  const last = seen[seenKey(person, account)] ?? 0;
  return conversation(person, account).messages.filter(
    (message) => message.seq > last && message.direction === "in" && message.kind !== "system",
  ).length;
}

/** Remember that everything in this chat has been looked at. */
export function markSeen(person, account) {
  const { messages } = conversation(person, account);
  const last = messages.length ? messages[messages.length - 1].seq : 0;
  const key = seenKey(person, account);
  if ((seen[key] ?? 0) >= last) return;
  seen = { ...recall("seen", {}), [key]: last };
  keep("seen", seen);
  set({ chats: { ...get().chats } });
}

/** The unread messages of a person over every account followed. */
export function unreadOf(person) {
  return person.following.reduce((sum, account) => sum + unreadCount(person.id, account), 0);
}

function dropConfirmed(key, fresh) {
  const waiting = get().pending[key] ?? [];
  if (!waiting.length) return;
  const arrived = fresh.filter(
    (message) => message.direction === "out" && message.kind !== "event",
  ).length;
  if (arrived) setIn("pending", key, waiting.slice(arrived));
}

/** Send a message to an account; it shows at once as on its way. Answers as the sandbox does. */
export async function sendMessage(person, account, message) {
  const key = chatKey(person, account);
  const draft = {
    ...message,
    kind: message.type,
    direction: "out",
    isPending: true,
    at: new Date().toISOString(),
  };
  const isShown = message.type !== "event";
  if (isShown) setIn("pending", key, [...(get().pending[key] ?? []), draft]);
  try {
    const answer = await api.send(person, { account, ...message });
    await refreshChat(person, account);
    return answer;
  } finally {
    const rest = (get().pending[key] ?? []).filter((item) => item !== draft);
    setIn("pending", key, rest);
  }
}
