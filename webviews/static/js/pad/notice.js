/** The bar's notice: the one place that tells about something beyond the page in view. */

const OFFLINE = "offline";

function notice() {
  return document.querySelector("#pending");
}

export function showNotice(title, more = "", kind = "") {
  const lines = [title, more].filter(Boolean).map((words) => {
    const line = document.createElement("p");
    line.textContent = words;
    return line;
  });
  lines[0].className = "notice-title";
  notice().replaceChildren(...lines);
  notice().dataset.kind = kind;
  notice().hidden = false;
}

/** Says that a page could not be had; what stands there stays. */
export function showOffline(words) {
  // That money waits for its answer says as much already, and more.
  if (notice().hidden || isNoticed(OFFLINE)) showNotice(words, "", OFFLINE);
}

export function hideOffline() {
  if (isNoticed(OFFLINE)) hideNotice();
}

export function hideNotice() {
  notice().hidden = true;
}

export function isNoticed(kind) {
  return !notice().hidden && notice().dataset.kind === kind;
}
