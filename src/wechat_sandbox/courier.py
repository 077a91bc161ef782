"""Pushes callbacks to accounts the way WeChat does: five seconds a try, three tries in all.

Every try is signed anew over the same message. A try fails when no complete HTTP 200 arrives in
time; an answer that arrived is never asked for again, usable or not.
"""

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from wechat_sandbox import calls, chat, packets, wire_xml
from wechat_sandbox.accounts import Account, find_account
from wechat_sandbox.database import Database, Transaction
from wechat_sandbox.deliveries import Delivery, finish, list_owed, note_try
from wechat_sandbox.faults import CALLBACK, FaultRule, take_fault
from wechat_sandbox.replies import AWAITED_TRIGGERS, SILENCE, BadReply, read_reply
from wechat_sandbox.texts import text

TRIES_MAX = 3
TRY_SECONDS = 5.0
ANSWER_BYTES_MAX = 1_000_000
# Results nobody waits for go beside the calls of the API, not in their way.
BACKGROUND_WORKERS = 8
REORDER_SECONDS_MAX = 2.0
NO_ANSWER = 0
LOST = "lost by a fault rule"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: the reply to show (None for silence), the last HTTP status (0 for none)."""

    reply: dict[str, Any] | None
    status: int
    took_ms: int

    def record(self) -> dict[str, Any]:
        return {"reply": self.reply, "took_ms": self.took_ms, "status": self.status}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    note: str
    took_ms: int

    def rank(self) -> tuple[bool, bool]:
        """Arrived before lost, words before silence."""
        return self.status == HTTPStatus.OK, self.body.strip() not in SILENCE


class Courier:
    """`post` is for callers who wait for the outcome, `post_later` for events nobody waits for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: aiohttp.ClientSession | None = None
        self._later: asyncio.Queue[Delivery] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._passed: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Begin working, first on whatever an earlier run of the program still owed."""
        with self._database.transaction() as tx:
            for delivery in list_owed(tx):
                self._later.put_nowait(delivery)
        self._workers = [asyncio.create_task(self._work()) for _ in range(BACKGROUND_WORKERS)]

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _exchange(
        self, method: str, url: str, *, query: dict[str, str], body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Return status and body. Raises TimeoutError, ClientError, ValueError."""
        if self._session is None:
            # In the loop, and without the environment's proxies.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TRY_SECONDS),
                headers={"User-Agent": "Mozilla/4.0"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {"Content-Type": "text/xml"} if body is not None else None
        content = bytearray()
        async with self._session.request(
            method, url, params=query, data=body, headers=headers, allow_redirects=False
        ) as response:
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > ANSWER_BYTES_MAX:
                    raise ValueError("the answer is too long")
            return response.status, bytes(content)

    def post_later(self, delivery: Delivery) -> None:
        self._later.put_nowait(delivery)

    async def _work(self) -> None:
        while True:
            await self.post(await self._later.get())

    async def post(self, delivery: Delivery) -> Outcome:
        """Try up to three times, then show the person what came of it."""
        started = time.monotonic()
        answer: _Answer | None = None
        with self._database.transaction() as tx:
            account = find_account(tx, delivery.account)
        if account is None or not account.callback_url:
            with self._database.transaction() as tx:
                finish(tx, delivery, succeeded=True)
            return Outcome(reply=None, status=NO_ANSWER, took_ms=0)
        for _ in range(TRIES_MAX):
            answer = await self._try_once(account, delivery)
            if answer.status == HTTPStatus.OK:
                break
        assert answer is not None, "there is at least one try"
        with self._database.transaction() as tx:
            reply = _conclude(tx, account, delivery=delivery, answer=answer)
        took_ms = int((time.monotonic() - started) * 1000)
        return Outcome(reply=reply, status=answer.status, took_ms=took_ms)

    async def _try_once(self, account: Account, delivery: Delivery) -> _Answer:
        with self._database.transaction() as tx:
            fault = take_fault(
                tx, path=CALLBACK, account=account.slug, event=delivery.trigger
            ) or FaultRule(match=CALLBACK)
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.reorder:
            await self._let_another_pass(account.slug)
        if (fault.drop or fault.status is not None) and not fault.applied:
            return self._lost(account, delivery, fault.status or NO_ANSWER)
        answers = await asyncio.gather(
            *(self._send(account, delivery) for _ in range(1 + fault.duplicate))
        )
        if passed := self._passed.pop(account.slug, None):
            passed.set()
        if fault.drop or fault.status is not None:
            return _Answer(fault.status or NO_ANSWER, b"", LOST, answers[0].took_ms)
        # Copies are answered side by side; the person sees one reply, the first that speaks.
        return max(answers, key=_Answer.rank)

    async def _let_another_pass(self, slug: str) -> None:
        """Hold this one until a later one of the account went ahead, or nothing came by."""
        passed = self._passed.setdefault(slug, asyncio.Event())
        try:
            async with asyncio.timeout(REORDER_SECONDS_MAX):
                await passed.wait()
        except TimeoutError:
            self._passed.pop(slug, None)

    def _lost(self, account: Account, delivery: Delivery, status: int) -> _Answer:
        """A try that a fault rule kept from arriving."""
        answer = _Answer(status=status, body=b"", note=LOST, took_ms=0)
        with self._database.transaction() as tx:
            note_try(tx, delivery, status)
            _record(tx, account, delivery, query={}, answer=answer)
        return answer

    async def _send(self, account: Account, delivery: Delivery) -> _Answer:
        assert account.callback_url is not None, "checked before the first try"
        packet = packets.seal(account, openid=delivery.openid, message=delivery.message)
        started = time.monotonic()
        status, body, note = NO_ANSWER, b"", ""
        try:
            status, body = await self._exchange(
                "POST", account.callback_url, query=packet.query, body=packet.body
            )
        except TimeoutError:
            note = f"no answer in {TRY_SECONDS:g} s"
        except (aiohttp.ClientError, ValueError) as error:
            status, note = NO_ANSWER, f"{type(error).__name__}: {error}"
        answer = _Answer(
            status=status, body=body, note=note, took_ms=int((time.monotonic() - started) * 1000)
        )
        with self._database.transaction() as tx:
            note_try(tx, delivery, status)
            _record(tx, account, delivery, query=packet.query, answer=answer)
        return answer

    async def shake_hands(self, account: Account) -> dict[str, Any]:
        """The GET by which WeChat checks a callback address: the echo must come back as it is."""
        if not account.callback_url:
            return {"ok": False, "status": NO_ANSWER, "took_ms": 0, "reason": "no callback_url"}
        started = time.monotonic()
        echo = str(int(time.time() * 1_000_000))
        query = packets.handshake_query(account, echo)
        reason, status = "", NO_ANSWER
        try:
            status, body = await self._exchange("GET", account.callback_url, query=query)
            if status != HTTPStatus.OK:
                reason = f"answered {status}"
            elif body.decode(errors="replace") != echo:
                reason = "the echo came back changed"
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        took_ms = int((time.monotonic() - started) * 1000)
        return {"ok": not reason, "status": status, "took_ms": took_ms, "reason": reason}


def _conclude(
    tx: Transaction, account: Account, *, delivery: Delivery, answer: _Answer
) -> dict[str, Any] | None:
    """Close the books on a delivery and put what the person sees into the chat."""
    arrived = answer.status == HTTPStatus.OK
    finish(tx, delivery, succeeded=arrived)
    reply: dict[str, Any] | None = None
    problem = "" if arrived else (answer.note or f"answered {answer.status}")
    if arrived:
        try:
            reply = read_reply(
                account, openid=delivery.openid, trigger=delivery.trigger, body=answer.body
            )
        except BadReply as error:
            problem = str(error)
    shown: tuple[str, dict[str, Any]] | None = None
    if reply is not None:
        shown = reply["type"], reply
    elif problem and delivery.trigger in AWAITED_TRIGGERS:
        line = text("service_unavailable")
        shown = "system", {"code": "service_unavailable", "content": line, "reason": problem}
    if shown is not None:
        chat.add_message(
            tx,
            account=account.slug,
            person=delivery.person,
            direction="in",
            kind=shown[0],
            body=shown[1],
        )
    return reply


def _record(
    tx: Transaction,
    account: Account,
    delivery: Delivery,
    *,
    query: dict[str, str],
    answer: _Answer,
) -> None:
    shown = answer.note or answer.body.decode(errors="replace")
    calls.add_call(
        tx,
        kind="callback",
        account=account.slug,
        method="POST",
        path=f"callback {delivery.trigger}",
        query=query,
        request=wire_xml.build(delivery.message),
        status=answer.status,
        errcode=None,
        response=shown,
        took_ms=answer.took_ms,
    )
