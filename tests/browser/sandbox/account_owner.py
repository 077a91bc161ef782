"""A small account owner for browser tests: answers callbacks in plain mode and serves one page."""

import html
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

GREETING = '欢迎！点 <a href="{base}/card">会员卡</a> <b>不是标签</b>'


@dataclass
class AccountOwner:
    """What it was pushed and who visited which page; it answers only while `let_answer` is set."""

    base: str = ""
    pushed: list[dict[str, str]] = field(default_factory=list)
    page_visits: list[str] = field(default_factory=list)
    let_answer: threading.Event = field(default_factory=threading.Event)

    def answer_to(self, message: dict[str, str]) -> str:
        if message.get("Event") == "subscribe":
            return GREETING.format(base=self.base)
        if message.get("Event") == "CLICK":
            return f"点了 {message['EventKey']}"
        if message["MsgType"] == "text":
            return f"收到：{message['Content']}"
        if message["MsgType"] == "image":
            return "收到图片"
        if message["MsgType"] == "location":
            return f"收到位置 {message['Label']} {message['Location_X']},{message['Location_Y']}"
        return ""

    def page(self, path: str) -> str:
        """A page that uses the JS-SDK's messages by hand, and says what it was answered."""
        return f"""<!doctype html><meta charset="utf-8"><title>{html.escape(path)}</title>
<p id="path">{html.escape(path)}</p><button id="scan">scan</button><button id="share">share</button>
<button id="locate">locate</button><button id="close">close</button><pre id="answer"></pre>
<script>
let next = 0;
const ask = (api, params) => parent.postMessage({{sandbox: "wx", id: ++next, api, params}}, "*");
addEventListener("message", (event) => {{
  if (event.data.sandbox === "wx-reply")
    document.getElementById("answer").textContent = JSON.stringify(event.data);
}});
document.getElementById("scan").onclick = () => ask("scanQRCode", {{needResult: 1}});
document.getElementById("locate").onclick = () => ask("getLocation", {{type: "gcj02"}});
document.getElementById("close").onclick = () => ask("closeWindow", {{}});
document.getElementById("share").onclick = () => ask("updateAppMessageShareData",
  {{title: "送您一张餐券 <i>", desc: "三天内有效", link: location.origin + "/gift", imgUrl: ""}});
</script>"""


def _fields(body: bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ET.fromstring(body)}  # noqa: S314 - the sandbox's own XML


def _reply(message: dict[str, str], content: str) -> bytes:
    if not content:
        return b"success"
    return (
        f"<xml><ToUserName><![CDATA[{message['FromUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{message['ToUserName']}]]></FromUserName>"
        f"<CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content></xml>"
    ).encode()


def _handler(owner: AccountOwner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Say nothing: the test's own report is enough."""

        def _send(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if "echostr" in query:
                self._send(query["echostr"][0].encode(), "text/plain")
                return
            cookies = self.headers.get("Cookie", "")
            person = re.search(r"sandbox_person=([^;]*)", cookies)
            owner.page_visits.append(f"{person[1] if person else '?'} {self.path}")
            self._send(owner.page(self.path).encode(), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            message = _fields(self.rfile.read(int(self.headers["Content-Length"])))
            owner.pushed.append(message)
            owner.let_answer.wait(10)
            self._send(_reply(message, owner.answer_to(message)), "text/xml")

    return Handler


def start_owner(owner: AccountOwner) -> ThreadingHTTPServer:
    """Listen on a free port; the caller shuts the server down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(owner))
    owner.base = f"http://127.0.0.1:{server.server_port}"
    owner.let_answer.set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
