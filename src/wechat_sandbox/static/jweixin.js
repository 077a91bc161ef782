// The sandbox's stand-in for WeChat's JS-SDK: the same names and answers, spoken to the phone's frame.
// A page inside the phone asks the frame by postMessage; a page opened alone asks the sandbox's server.
(function (global) {
  "use strict";

  var HOME = new URL(document.currentScript.src).origin;
  var KNOWN = [
    "checkJsApi", "scanQRCode", "getLocation", "openLocation", "updateAppMessageShareData",
    "updateTimelineShareData", "hideOptionMenu", "showOptionMenu", "closeWindow"
  ];
  var FREE = ["checkJsApi"];
  var isFramed = global.parent !== global;
  var state = { phase: "new", config: null, error: null };
  var readyCalls = [];
  var errorCalls = [];
  var waiting = new Map();
  var counter = 0;

  function run(callback, value) {
    if (typeof callback === "function") { callback(value); }
  }

  function log(api, answer) {
    if (state.config && state.config.debug) { console.info("[wx] " + api, answer); }
  }

  // ----- configuration

  function settle(phase, answer) {
    state.phase = phase;
    state.error = phase === "failed" ? answer : null;
    log("config", answer);
    var calls = phase === "ready" ? readyCalls : errorCalls;
    readyCalls = phase === "ready" ? [] : readyCalls;
    calls.slice().forEach(function (callback) { run(callback, answer); });
  }

  function config(options) {
    var given = options || {};
    state.phase = "checking";
    state.config = given;
    if (!Array.isArray(given.jsApiList) || given.jsApiList.length === 0) {
      settle("failed", { errMsg: "config:fail, jsApiList is empty" });
      return;
    }
    fetch(HOME + "/_sandbox/jssdk/verify", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        appId: String(given.appId || ""),
        timestamp: String(given.timestamp === undefined ? "" : given.timestamp),
        nonceStr: String(given.nonceStr || ""),
        signature: String(given.signature || ""),
        url: location.href.split("#")[0]
      })
    }).then(function (response) {
      if (!response.ok) { throw new Error("status " + response.status); }
      return response.json();
    }).then(function (answer) {
      if (state.config !== given) { return; }
      settle(answer.ok ? "ready" : "failed", { errMsg: answer.errMsg });
    }).catch(function (error) {
      if (state.config !== given) { return; }
      settle("failed", { errMsg: "config:fail, " + error.message });
    });
  }

  function ready(callback) {
    if (state.phase === "ready") { run(callback); } else { readyCalls.push(callback); }
  }

  function error(callback) {
    errorCalls.push(callback);
    if (state.phase === "failed") { run(callback, state.error); }
  }

  // ----- calls

  function finish(api, options, answer) {
    log(api, answer);
    var outcome = answer.errMsg.slice(answer.errMsg.indexOf(":") + 1);
    if (outcome === "ok") {
      run(options.success, answer);
    } else if (outcome === "cancel") {
      run(options.cancel, answer);
    } else {
      run(options.fail, answer);
    }
    run(options.complete, answer);
  }

  function isPermitted(api) {
    if (FREE.indexOf(api) >= 0) { return true; }
    return state.phase === "ready" && state.config.jsApiList.indexOf(api) >= 0;
  }

  // Callbacks are functions and cannot be sent; everything else is passed on as it is.
  function plain(options) {
    var kept = {};
    Object.keys(options).forEach(function (name) {
      if (typeof options[name] !== "function") { kept[name] = options[name]; }
    });
    return kept;
  }

  function call(api, options) {
    var given = options || {};
    if (!isPermitted(api)) {
      var why = state.phase === "ready" ? "permission denied" : "config is not ready";
      setTimeout(function () { finish(api, given, { errMsg: api + ":fail, " + why }); }, 0);
      return;
    }
    if (!isFramed) {
      answerAlone(api, given);
      return;
    }
    counter += 1;
    var id = "wx" + counter;
    waiting.set(id, { api: api, options: given });
    global.parent.postMessage({ sandbox: "wx", id: id, api: api, params: plain(given) }, "*");
  }

  global.addEventListener("message", function (event) {
    var data = event.data;
    if (event.source !== global.parent || !data || data.sandbox !== "wx-reply") { return; }
    var call = waiting.get(data.id);
    if (!call) { return; }
    waiting.delete(data.id);
    var answer = Object.assign({}, data.result, { errMsg: data.errMsg || call.api + ":ok" });
    finish(call.api, call.options, answer);
  });

  // ----- a page opened without the phone around it

  function answerAlone(api, options) {
    if (api === "closeWindow") { global.close(); }
    if (api !== "scanQRCode" && api !== "getLocation") {
      setTimeout(function () { finish(api, options, { errMsg: api + ":ok" }); }, 0);
      return;
    }
    fetch(HOME + "/_sandbox/jssdk/device?api=" + api, { credentials: "include" })
      .then(function (response) { return response.json(); })
      .then(function (device) {
        finish(api, options, api === "getLocation" ? located(device) : scanned(device, options));
      })
      .catch(function () { finish(api, options, { errMsg: api + ":fail" }); });
  }

  function located(device) {
    if (!device.location) { return { errMsg: "getLocation:fail, no location" }; }
    return {
      latitude: device.location.latitude, longitude: device.location.longitude,
      speed: 0, accuracy: 30, errMsg: "getLocation:ok"
    };
  }

  function scanned(device, options) {
    var text = device.scan === null ? global.prompt("QR") : device.scan;
    if (!text) { return { errMsg: "scanQRCode:cancel" }; }
    if (Number(options.needResult) === 1) { return { resultStr: text, errMsg: "scanQRCode:ok" }; }
    if (/^https?:\/\//i.test(text)) { location.assign(text); }
    return { errMsg: "scanQRCode:ok" };
  }

  // ----- the public names

  function checkJsApi(options) {
    var given = options || {};
    var found = {};
    (given.jsApiList || []).forEach(function (name) { found[name] = KNOWN.indexOf(name) >= 0; });
    finish("checkJsApi", given, { checkResult: found, errMsg: "checkJsApi:ok" });
  }

  var wx = { config: config, ready: ready, error: error, checkJsApi: checkJsApi };
  KNOWN.forEach(function (api) {
    if (!wx[api]) { wx[api] = function (options) { call(api, options); }; }
  });
  global.wx = global.jWeixin = wx;

  // The real client reads a page's title by itself; a frame of another origin has to be told.
  if (isFramed) {
    document.addEventListener("DOMContentLoaded", function () {
      if (!document.title) { return; }
      var told = { sandbox: "wx", id: "title", api: "setTitle", params: { title: document.title } };
      global.parent.postMessage(told, "*");
    });
  }
})(window);
