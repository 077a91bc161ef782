"""Bodies that never come, or not to the end: answered within the budget, and nothing written."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.metrics import CALLBACKS
from o2o.wechat import callback
from o2o.wechat.body import BodyReader, declared_size
from o2o.wechat.codec.errors import CallbackRefused
from tests.factories.wechat import Pusher, text_fields
from tests.integration.wechat.conftest import count


async def status_of(pusher: Pusher, pieces: list[bytes]) -> int:
    """Send these pieces, promise more and send nothing."""
    sent: list[dict[str, Any]] = []
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not pieces:
            await never.wait()
        return {"type": "http.request", "body": pieces.pop(0), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/wechat/{pusher.account.slug}/callback",
        "query_string": urlencode(pusher.query()).encode(),
        "headers": [],
    }
    await pusher.services.callback_app(scope, receive, send)
    assert sent[1:] == [{"type": "http.response.body", "body": b""}]
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize("pieces", [[], [b"<xml>"], [b"<xml>", b"<a>"]])
async def test_a_body_that_does_not_come_is_refused(
    pusher: Pusher,
    sessions: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
    pieces: list[bytes],
) -> None:
    monkeypatch.setattr(callback, "BUDGET_SECONDS", 0.02)

    assert await status_of(pusher, pieces) == 400
    assert await count(sessions, "inbound_messages") == 0
    assert CALLBACKS.labels(pusher.account.slug, "wechat.body_empty")._value.get() == 1

    monkeypatch.undo()
    answered = await pusher.push(text_fields(pusher.account))
    assert answered.status == 200
    assert await count(sessions, "inbound_messages") == 1


async def test_many_that_send_nothing_are_all_refused(
    pusher: Pusher, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "BUDGET_SECONDS", 0.02)
    statuses = await asyncio.gather(*(status_of(pusher, []) for _ in range(20)))
    assert statuses == [400] * 20
    assert await count(sessions, "inbound_messages") == 0


async def test_a_deadline_that_comes_before_an_earlier_requests_is_kept() -> None:
    bodies, never = BodyReader(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {"type": "http.request", "body": b"late", "more_body": False}

    patient = asyncio.create_task(bodies.read(receive, deadline=loop.time() + 600))
    await asyncio.sleep(0)
    with pytest.raises(CallbackRefused):
        await bodies.read(receive, deadline=loop.time() + 0.02)
    assert not patient.done()
    never.set()
    assert await patient == b"late"


async def test_somebody_elses_cancellation_is_passed_on() -> None:
    bodies, never = BodyReader(), asyncio.Event()
    deadline = asyncio.get_running_loop().time() + 600

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {}

    reading = asyncio.create_task(bodies.read(receive, deadline=deadline))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize(
    "headers, declared",
    [
        ([(b"host", b"a"), (b"content-length", b"12")], 12),
        ([(b"content-length", b"0")], 0),
        ([(b"host", b"a")], None),
        ([], None),
        ([(b"content-length", b"-1")], None),
        ([(b"content-length", b"1e3")], None),
        ([(b"content-length", b"99999999999999999999")], None),
    ],
)
def test_the_declared_size_is_a_number_that_a_body_may_have(
    headers: list[tuple[bytes, bytes]], declared: int | None
) -> None:
    assert declared_size(headers) == declared


@pytest.mark.parametrize("declared", [None, 3, 5, 99])
async def test_a_body_in_pieces_is_read_to_its_end_whatever_was_declared(
    declared: int | None,
) -> None:
    pieces = [(b"ab", True), (b"cd", True), (b"e", False)]

    async def receive() -> dict[str, Any]:
        body, more = pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": more}

    deadline = asyncio.get_running_loop().time() + 600
    read = BodyReader().read(receive, deadline=deadline, declared=declared)
    assert await read == b"abcde"


async def test_a_body_that_is_all_there_is_not_asked_for_more() -> None:
    asked = 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"abc", "more_body": True}

    deadline = asyncio.get_running_loop().time() + 600
    assert await BodyReader().read(receive, deadline=deadline, declared=3) == b"abc"
    assert asked == 1
