"""The callback: a raw ASGI application for `GET/POST /wechat/{account}/callback`.

It stands before the web framework because a route costs a third of the whole. The order: account,
query, body (bounded), envelope, typed message, inbox, reply. A refusal is a status with an empty
body, whatever was wrong; the code goes to the log and the metrics. Every request is answered
within WeChat's five seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from random import getrandbits
from typing import Any

from o2o.infra.logging import get_logger
from o2o.infra.own_loop import OwnLoop
from o2o.kernel.clock import Clock
from o2o.wechat.accounts import Accounts, AccountsUnavailable
from o2o.wechat.body import BodyReader, Receive, declared_size
from o2o.wechat.codec.envelope import answer_handshake, open_envelope, parse_query, seal_reply
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.messages import UserMessage
from o2o.wechat.codec.replies import NOTHING_TO_SAY, AnyReply, render_reply
from o2o.wechat.errors import MessageReplayed
from o2o.wechat.inbox import Received, receive
from o2o.wechat.intake import Intake
from o2o.wechat.official_account import Account
from o2o.wechat.outcomes import Outcomes
from o2o.wechat.spool.writer import SpoolFailed
from o2o.wechat.tally import CallbackTally

log = get_logger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# WeChat hangs up after five seconds; what is left is for the disk and the way back.
BUDGET_SECONDS = 4.2
# A name that the cache lacks is looked up; a database that hangs must not hold the answer up.
LOOKUP_SECONDS = 2.0
PREFIX = "/wechat/"
SUFFIX = "/callback"
UNKNOWN = "unknown"
NONCE_BITS = 64
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_XML = [(b"content-type", b"text/xml; charset=utf-8")]
_NO_HEADERS: list[tuple[bytes, bytes]] = []


def is_callback_path(path: str) -> bool:
    """Whether a request is for this application: `/wechat/<one segment>/callback`."""
    return path.endswith(SUFFIX) and path.startswith(PREFIX) and path.count("/") == 3


class CallbackApp:
    """Answers WeChat. One per process."""

    def __init__(
        self, *, accounts: Accounts, intake: Intake, clock: Clock, outcomes: Outcomes
    ) -> None:
        """Take messages in through `intake`; count in `outcomes` what does not get that far."""
        self._accounts = accounts
        self._intake = intake
        self._clock = clock
        self._outcomes = outcomes
        self._bodies = BodyReader()
        self._tally = CallbackTally()
        self._loop = OwnLoop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        loop = self._loop()
        started = loop.time()
        slug = scope["path"][len(PREFIX) : -len(SUFFIX)]
        headers = _NO_HEADERS
        account: Account | None = None
        try:
            account = self._accounts.peek(slug) or await self._find_account(slug)
            if scope["method"] == "POST":
                body, outcome = await self._take_message(
                    account, scope, receive, deadline=started + BUDGET_SECONDS
                )
                status, headers = 200, _TEXT if body == NOTHING_TO_SAY else _XML
            elif scope["method"] == "GET":
                body, outcome = self._shake_hands(account, scope)
                status, headers = 200, _TEXT
            else:
                status, body, outcome = 405, b"", "method_not_allowed"
        except CallbackRefused as refusal:
            status, body, outcome = refusal.status, b"", str(refusal.code)
            log.info("wechat.callback_refused", account=slug[:32], **_told(refusal))
            self._outcomes.note_refusal(None if account is None else account.slug, refusal)
        except AccountsUnavailable:
            status, body, outcome = 503, b"", "accounts_unavailable"
        except SpoolFailed:
            # Not acknowledged, so that WeChat sends it again.
            status, body, outcome = 503, b"", "spool_failed"
        except Exception:
            # Nothing we foresaw: not acknowledged either, and nothing told to the outside.
            log.exception("wechat.callback_failed", account=slug[:32])
            status, body, outcome = 500, b"", "failed"
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._tally.note(
            UNKNOWN if account is None else account.slug, outcome, seconds=loop.time() - started
        )
        if status != 200:
            self._tally.write()

    def close(self) -> None:
        """Write the last figures down."""
        self._tally.write()

    async def _find_account(self, slug: str) -> Account:
        """Raises CallbackRefused (account_unknown), AccountsUnavailable."""
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                account = await self._accounts.find(slug)
        except TimeoutError:
            raise AccountsUnavailable from None
        if account is None:
            raise CallbackRefused(RefusalCode.ACCOUNT_UNKNOWN, "no such account")
        return account

    def _shake_hands(self, account: Account, scope: Scope) -> tuple[bytes, str]:
        query = parse_query(scope["query_string"])
        echo = answer_handshake(account.keys, query=query, now=int(self._clock.now().timestamp()))
        self._outcomes.note_handshake(account.slug, echo)
        return echo.encode(), "handshake"

    async def _take_message(
        self, account: Account, scope: Scope, receive_more: Receive, *, deadline: float
    ) -> tuple[bytes, str]:
        query = parse_query(scope["query_string"])
        body = await self._bodies.read(
            receive_more, deadline=deadline, declared=declared_size(scope["headers"])
        )
        now = self._clock.now()
        seconds = int(now.timestamp())
        fields = open_envelope(account.keys, query=query, body=body, now=seconds)
        received = receive(account, fields, query=query, received_at=now)
        try:
            reply, is_spooled = await self._intake.take(received, deadline=deadline)
        except MessageReplayed:
            raise CallbackRefused(RefusalCode.REPLAYED, "nonce") from None
        if is_spooled:
            return NOTHING_TO_SAY, "spooled"
        xml = _rendered(received, reply, seconds)
        # Only has to differ: what must not be foreseen begins the encrypted text.
        nonce = f"{getrandbits(NONCE_BITS):x}"
        return seal_reply(account.keys, xml, timestamp=seconds, nonce=nonce), "answered"


def _rendered(received: Received, reply: AnyReply, seconds: int) -> bytes:
    try:
        return render_reply(
            reply,
            to_user=received.message.from_user,
            from_user=received.account.original_id,
            created_at=seconds,
            answers_message=isinstance(received.message, UserMessage),
        )
    except ValueError as error:
        # A reply WeChat would refuse: the person sees nothing rather than a service failure.
        log.error("wechat.reply_unusable", account=received.account.slug, error=str(error))  # noqa: TRY400
        return NOTHING_TO_SAY


def _told(refusal: CallbackRefused) -> dict[str, str]:
    return {"error_code": str(refusal.code), "reason": refusal.reason}
