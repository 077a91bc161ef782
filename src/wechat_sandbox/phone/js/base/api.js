/* Talking to the sandbox's control API: one place for addresses, errors and the token question. */

/** A refusal by the sandbox, with what it said. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body?.message || body?.detail || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

const enc = encodeURIComponent;
const UNAUTHORIZED = 401;

async function answerOf(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { message: text.slice(0, 200) };
  }
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
  const answer = await answerOf(response);
  // The sandbox wants its control token, which its front page asks for.
  if (response.status === UNAUTHORIZED) location.assign("/");
  if (!response.ok) throw new Refusal(response.status, answer);
  return answer;
}

const person = (id) => `/_sandbox/people/${enc(id)}`;

export const api = {
  copy: (lang) => call("GET", `/_sandbox/copy?lang=${enc(lang)}`),
  people: () => call("GET", "/_sandbox/people"),
  addPerson: (name) => call("POST", "/_sandbox/people", { name }),
  changePerson: (id, changes) => call("PATCH", person(id), changes),
  accounts: () => call("GET", "/_sandbox/accounts"),
  saveAccount: (account) => call("POST", "/_sandbox/accounts", account),
  verifyAccount: (slug) => call("POST", `/_sandbox/accounts/${enc(slug)}/verify`, {}),
  menu: (slug) => call("GET", `/_sandbox/accounts/${enc(slug)}/menu`),
  qrcodes: (slug) => call("GET", `/_sandbox/accounts/${enc(slug)}/qrcodes`),
  follow: (id, account) => call("POST", `${person(id)}/follow`, { account }),
  unfollow: (id, account) => call("POST", `${person(id)}/unfollow`, { account }),
  send: (id, message) => call("POST", `${person(id)}/messages`, message),
  chat: (id, account, after = 0) =>
    call("GET", `${person(id)}/chat?account=${enc(account)}${after ? `&after=${after}` : ""}`),
  texts: (id) => call("GET", `${person(id)}/sms`),
  scan: (id, text) => call("POST", "/_sandbox/scan", { person: id, text }),
  places: () => call("GET", "/_sandbox/map"),
  faults: () => call("GET", "/_sandbox/faults"),
  setFaults: (rules) => call("PUT", "/_sandbox/faults", { rules }),
  clearFaults: () => call("DELETE", "/_sandbox/faults"),
  expireTokens: () => call("POST", "/_sandbox/faults/expire-tokens", {}),
  moveClock: (seconds) => call("POST", "/_sandbox/clock", { advance_seconds: seconds }),
  books: () => call("GET", "/_sandbox/books"),
  calls: (after) => call("GET", `/_sandbox/calls?after=${after}`),
};

/** The address that opens a page as this person, in a jar of cookies of their own. */
export function openAs(id, url) {
  return `${person(id)}/open?url=${enc(url)}`;
}

export function accountQr(slug) {
  return `/_sandbox/accounts/${enc(slug)}/qr.svg`;
}

export function qrOf(text) {
  return `/_sandbox/qr.svg?text=${enc(text)}`;
}
