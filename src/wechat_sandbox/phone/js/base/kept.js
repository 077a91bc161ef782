/* Small things this browser remembers between visits; losing them costs nothing. */

const PREFIX = "sandbox.";

export function recall(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A full or forbidden storage only means that the next visit starts afresh.
  }
}

/** Call `listener` when another window of this browser keeps a new value under the name. */
export function onKeptElsewhere(name, listener) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + name) listener();
  });
}
