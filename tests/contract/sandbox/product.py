"""A small product of one account for the tests: receives callbacks, checks them with wechatpy."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import wechatpy.crypto
import wechatpy.utils
import xmltodict


@dataclass
class Received:
    """One request as it came, and the message inside it."""

    query: dict[str, str]
    body: str
    message: dict[str, Any]


@dataclass
class Keys:
    """What the sandbox told about the account."""

    appid: str
    token: str
    encoding_aes_key: str


Answer = Callable[[Received], tuple[int, str]]


def success(_received: Received) -> tuple[int, str]:
    return 200, "success"


@dataclass
class Product:
    """Answers what `answer` says; set `keys` before the first callback."""

    keys: Keys | None = None
    answer: Answer = success
    received: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        product = self

        class Routes(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                assert product.keys is not None
                wechatpy.utils.check_signature(
                    product.keys.token, query["signature"], query["timestamp"], query["nonce"]
                )
                self._write(200, query["echostr"])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                query = dict(parse_qsl(urlsplit(self.path).query))
                received = Received(query, body, product.open(query, body))
                product.received.append(received)
                self._write(*product.answer(received))

            def _write(self, status: int, text: str) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(text.encode())))
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    # The sandbox hangs up after five seconds; the test looks at what it did next.
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Routes)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/callback?shop=1"

    def open(self, query: dict[str, str], body: str) -> dict[str, Any]:
        """Check signatures and decrypt with wechatpy, which knows nothing of the sandbox."""
        assert self.keys is not None
        if "msg_signature" in query:
            crypto = wechatpy.crypto.WeChatCrypto(
                self.keys.token, self.keys.encoding_aes_key, self.keys.appid
            )
            plain = crypto.decrypt_message(
                body, query["msg_signature"], query["timestamp"], query["nonce"]
            )
        else:
            wechatpy.utils.check_signature(
                self.keys.token, query["signature"], query["timestamp"], query["nonce"]
            )
            plain = body
        parsed: dict[str, Any] = xmltodict.parse(plain)["xml"]
        return parsed

    def sealed(self, plain: str) -> str:
        """A reply encrypted by wechatpy."""
        assert self.keys is not None
        crypto = wechatpy.crypto.WeChatCrypto(
            self.keys.token, self.keys.encoding_aes_key, self.keys.appid
        )
        sealed: str = crypto.encrypt_message(plain, "nonce1234", str(int(time.time())))
        return sealed

    def text_reply(self, received: Received, content: str) -> str:
        """Plain reply XML to whoever wrote."""
        message = received.message
        return (
            f"<xml><ToUserName><![CDATA[{message['FromUserName']}]]></ToUserName>"
            f"<FromUserName><![CDATA[{message['ToUserName']}]]></FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{content}]]></Content></xml>"
        )

    def wait_for(self, count: int, *, event: str) -> list[Received]:
        """Callbacks of one event, once there are `count`; fails after ten seconds."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [one for one in self.received if one.message.get("Event") == event]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"fewer than {count} {event} events in {self.received}")
