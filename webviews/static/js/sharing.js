/**
 * What a forwarded page looks like in a chat: title, text and picture, told to WeChat by its JS-SDK.
 * Whatever fails here fails in silence: the page is whole without it.
 */

const place = document.getElementById("share");
const page = place ? JSON.parse(place.dataset.page) : null;

/** Loads WeChat's JS-SDK. */
export function loadSDK(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.wx);
    script.onerror = reject;
    document.head.append(script);
  });
}

async function tellWeChat() {
  // The signature covers the address of the page without its fragment.
  const url = location.href.split("#")[0];
  const answer = await fetch(`${page.config_url}?url=${encodeURIComponent(url)}`, {
    headers: { Accept: "application/json" },
  });
  if (!answer.ok) return;
  const signed = await answer.json();
  const wx = window.wx ?? (await loadSDK(page.sdk_url));
  const apis = ["updateAppMessageShareData", "updateTimelineShareData"];
  wx.config({
    debug: false,
    appId: signed.appId,
    timestamp: signed.timestamp,
    nonceStr: signed.nonceStr,
    signature: signed.signature,
    jsApiList: apis,
  });
  wx.ready(() => {
    const data = { title: page.title, desc: page.text, link: page.link, imgUrl: page.picture };
    for (const api of apis) wx[api]({ ...data, success() {}, fail() {} });
  });
  wx.error(() => {});
}

if (page && (page.is_demo || /MicroMessenger/i.test(navigator.userAgent))) {
  const start = () => tellWeChat().catch(() => {});
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start, { once: true });
}
