"""What WeChat sends, for tests: signed and sealed callbacks, and the services that answer them."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.web.copy import Words
from o2o.wechat.codec.replies import cdata
from o2o.wechat.official_account import Account
from o2o.wechat.services import WeChatServices

WORDS = Words()


class Answered(msgspec.Struct, frozen=True):
    """What came back over HTTP."""

    status: int
    body: bytes
    headers: dict[bytes, bytes]


def text_fields(
    account: Account, *, openid: str = "oUser", content: str = "你好", msg_id: int | None = None
) -> dict[str, Any]:
    """Fields of a text message."""
    return {
        "ToUserName": account.original_id,
        "FromUserName": openid,
        "CreateTime": "1763611200",
        "MsgType": "text",
        "Content": content,
        "MsgId": str(msg_id if msg_id is not None else secrets.randbits(62)),
    }


def event_fields(
    account: Account, event: str, *, openid: str = "oUser", **more: Any
) -> dict[str, Any]:
    """Fields of an event."""
    return {
        "ToUserName": account.original_id,
        "FromUserName": openid,
        "CreateTime": str(more.pop("created_at", 1763611200)),
        "MsgType": "event",
        "Event": event,
        **more,
    }


def xml_of(fields: Mapping[str, Any]) -> bytes:
    """The fields as WeChat writes them."""
    return f"<xml>{_children(fields)}</xml>".encode()


def _children(fields: Mapping[str, Any]) -> str:
    parts = []
    for tag, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            inner = _children(one) if isinstance(one, dict) else cdata(str(one))
            parts.append(f"<{tag}>{inner}</{tag}>")
    return "".join(parts)


def sha1_signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Pusher:
    """Pushes callbacks at an ASGI app as WeChat does, for one account."""

    def __init__(self, services: WeChatServices, account: Account, clock: Clock) -> None:
        self.services = services
        self.account = account
        self.clock = clock

    def query(self, encrypt: str | None = None, **changes: str) -> dict[str, str]:
        """Query parameters signed now."""
        timestamp = changes.pop("timestamp", str(int(self.clock.now().timestamp())))
        nonce = changes.pop("nonce", secrets.token_hex(5))
        token = self.account.keys.token
        query = {
            "signature": sha1_signature(token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        if encrypt is not None:
            query["encrypt_type"] = "aes"
            query["msg_signature"] = sha1_signature(token, timestamp, nonce, encrypt)
        return {**query, **changes}

    def sealed(self, fields: Mapping[str, Any], **changes: str) -> tuple[dict[str, str], bytes]:
        """Query and body of a message in the account's mode."""
        xml = xml_of(fields)
        if self.account.keys.cipher is None:
            return self.query(**changes), xml
        encrypt = self.account.keys.cipher.encrypt(xml)
        outer = {"ToUserName": self.account.original_id, "Encrypt": encrypt}
        return self.query(encrypt, **changes), xml_of(outer)

    async def push(self, fields: Mapping[str, Any], **changes: str) -> Answered:
        """Send one message and return the raw answer."""
        query, body = self.sealed(fields, **changes)
        return await self.request("POST", query, body)

    async def ask(self, fields: Mapping[str, Any], **changes: str) -> str | None:
        """Send one message and return the text of the reply, opened; None for `success`."""
        answered = await self.push(fields, **changes)
        assert answered.status == 200, answered
        return self.text_of(answered)

    def text_of(self, answered: Answered) -> str | None:
        if answered.body == b"success":
            return None
        from o2o.wechat.codec.xml import parse_xml  # noqa: PLC0415

        fields = parse_xml(answered.body)
        if self.account.keys.cipher is not None:
            fields = parse_xml(self.account.keys.cipher.decrypt(fields["Encrypt"]))
        content: str = fields["Content"]
        return content

    async def request(
        self,
        method: str,
        query: Mapping[str, str],
        body: bytes = b"",
        *,
        slug: str | None = None,
        chunks: int = 1,
    ) -> Answered:
        """Make one HTTP exchange with the callback."""
        return await exchange(
            self.services.callback_app,
            method=method,
            path=f"/wechat/{slug or self.account.slug}/callback",
            query=urlencode(query).encode(),
            body=body,
            chunks=chunks,
        )


async def exchange(
    app: Any, *, method: str, path: str, query: bytes, body: bytes = b"", chunks: int = 1
) -> Answered:
    """Call an ASGI app in the process."""
    size = max(1, -(-len(body) // chunks))
    parts = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [],
    }
    await app(scope, receive, send)
    start, rest = sent[0], sent[1:]
    return Answered(
        start["status"],
        b"".join(message.get("body", b"") for message in rest),
        dict(start["headers"]),
    )


@asynccontextmanager
async def running_services(
    *,
    sessions: SessionFactory,
    seal: Seal,
    clock: Clock,
    data_dir: Path,
    api_url: str = "http://127.0.0.1:9",
    public_url: str = "http://127.0.0.1:8000",
) -> AsyncGenerator[WeChatServices, None]:
    """Services that are started, and stopped at the end."""
    settings = Settings(
        data_dir=data_dir,
        secret_key="a key for tests that is long enough",
        demo=True,
        wechat_api_url=api_url,
        wechat_oauth_url=api_url,
        public_url=public_url,
    )
    services = WeChatServices(
        settings=settings, seal=seal, sessions=sessions, clock=clock, words=WORDS
    )
    await services.start()
    yield services
    await services.stop()
