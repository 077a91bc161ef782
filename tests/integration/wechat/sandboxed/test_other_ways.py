"""Messages that lapse before they are sent, or go another way: one of the two, once, or none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra.database import Tx, transaction
from o2o.kernel.clock import SystemClock
from o2o.wechat.actions.queue_messages import queue_messages, template_message
from o2o.wechat.actions.record_deliveries import note_finished_templates
from o2o.wechat.chat.asks import Heard
from o2o.wechat.codec.messages import parse_message
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.templates import Value
from tests.integration.wechat.sandboxed.conftest import Stage
from tests.integration.wechat.sandboxed.test_deliveries import SEND, make_due, settled

CUSTOM = "/cgi-bin/message/custom/send"
ADD = "/cgi-bin/template/api_add_template"
TELLING = "到您了！A001号，请到3号台入座。"
VALUES: dict[str, Value] = {"store": "江南小灶静安寺店", "number": "A001", "reason": "今日停电"}


async def queue(stage: Stage, **fields: Any) -> None:
    now = SystemClock().now()
    message = template_message(
        account_id=stage.account.id,
        openid=stage.openid,
        purpose="ticket_cancelled",
        values=VALUES | {"at": now},
        url="",
        client_msg_id="fact-1",
        otherwise=TextReply(TELLING),
        **fields,
    )
    async with transaction(stage.sessions) as tx:
        await queue_messages(tx, [message], now=now)


async def shown(stage: Stage) -> tuple[int, list[str]]:
    """How many templates the phone shows, and which texts were sent to it."""
    texts = [message.get("content") for message in await stage.chat("custom")]
    return len(await stage.chat("template")), [str(text_of(one)) for one in texts]


def text_of(content: Any) -> Any:
    return content.get("content", content) if isinstance(content, dict) else content


async def fate(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.rows("SELECT status, channel, errcode FROM deliveries ORDER BY id")


async def test_a_refused_template_goes_as_a_service_message_within_the_window(
    stage: Stage,
) -> None:
    await stage.follow()
    await stage.say("1")
    await stage.fail(SEND, errcode=43116)
    await queue(stage)
    await stage.run_errands()

    assert await shown(stage) == (0, [TELLING])
    assert await fate(stage) == [("accepted", "custom", 43116)]
    assert await stage.calls(SEND) == 1
    assert await stage.calls(CUSTOM) == 1


async def test_outside_of_the_window_nothing_else_is_sent(stage: Stage) -> None:
    await stage.follow()
    async with transaction(stage.sessions) as tx:
        await tx.execute(
            text("UPDATE inbound_messages SET received_at = received_at - interval '49 hours'")
        )
    await stage.fail(SEND, errcode=43116)
    await queue(stage)
    await stage.run_errands()

    assert await shown(stage) == (0, [])
    assert await fate(stage) == [("refused", "template", 43116)]
    assert await stage.calls(CUSTOM) == 0


async def test_an_account_that_gets_no_template_says_it_otherwise(stage: Stage) -> None:
    await stage.follow()
    await stage.say("1")
    await stage.fail(ADD, errcode=45026)
    await queue(stage)
    await stage.run_errands()

    assert await shown(stage) == (0, [TELLING])
    assert await fate(stage) == [("accepted", "custom", 45026)]


async def test_a_template_that_may_have_been_taken_never_goes_twice(stage: Stage) -> None:
    await stage.follow()
    await stage.say("1")
    # WeChat takes it and says nothing; then it would refuse.
    await stage.fail(SEND, drop=True, applied=True, times=1)
    await queue(stage)
    await stage.run_errands()
    await stage.fail(SEND, errcode=43116)
    await make_due(stage)
    await stage.run_errands()

    assert await shown(stage) == (1, [])
    assert await fate(stage) == [("refused", "template", 43116)]


async def test_five_hundreds_that_pass_end_with_one_message(stage: Stage) -> None:
    await stage.follow()
    await stage.say("1")
    await stage.fail(SEND, status=502, times=3)
    await queue(stage)
    for _ in range(4):
        await stage.run_errands()
        await make_due(stage)

    assert await shown(stage) == (1, [])
    assert [row[:2] for row in await fate(stage)] in (
        [("accepted", "template")],
        [("delivered", "template")],
    )


async def test_what_is_over_before_it_is_sent_is_not_sent(stage: Stage) -> None:
    asked: list[dict[str, Any]] = []
    answers = [True, False]

    async def check(_: Tx, abouts: Sequence[dict[str, Any]], __: datetime) -> list[bool]:
        asked.extend(abouts)
        return [answers[len(asked) - 1] for _ in abouts]

    stage.services.messenger.ask_before("test", check)
    await stage.follow()
    about = {"check": "test", "ticket_id": "t1"}
    await stage.fail(SEND, status=502, times=1)
    await queue(stage, about=about)
    await stage.run_errands()
    # It waits for WeChat to recover; meanwhile the ticket ends.
    await make_due(stage)
    await stage.run_errands()

    assert asked == [about, about]
    assert await shown(stage) == (0, [])
    assert await fate(stage) == [("withdrawn", "template", None)]
    assert await stage.rows("SELECT 1 FROM outbox_messages WHERE topic LIKE 'wechat.send%'") == []


async def test_what_nobody_here_can_check_waits(stage: Stage) -> None:
    await stage.follow()
    await queue(stage, about={"check": "of a newer release"})
    await stage.run_errands()

    assert await shown(stage) == (0, [])
    assert await fate(stage) == [("queued", "template", None)]


@pytest.mark.parametrize(
    "result, sent, shape",
    [
        ("failed: system failed", [TELLING], ("accepted", "custom")),
        # Whoever blocked our messages is left in peace.
        ("failed:user block", [], ("refused", "template")),
    ],
)
async def test_what_wechat_lost_after_taking_it_goes_otherwise_once(
    stage: Stage, result: str, sent: list[str], shape: tuple[str, str]
) -> None:
    await stage.follow()
    await stage.say("1")
    await queue(stage)
    await stage.run_errands()
    await settled(stage, "delivered")
    # As if the result that the sandbox gave had been this one, and came twice.
    async with transaction(stage.sessions) as tx:
        await tx.execute(text("UPDATE deliveries SET status = 'accepted', result_at = NULL"))
    [(msgid,)] = await stage.rows("SELECT msgid FROM deliveries")
    for _ in range(2):
        async with transaction(stage.sessions) as tx:
            await note_finished_templates(tx, [finish(stage, msgid, result)])
    await stage.run_errands()

    assert (await shown(stage))[1] == sent
    assert [row[:2] for row in await fate(stage)] == [shape]
    assert await stage.calls(CUSTOM) == len(sent)


def finish(stage: Stage, msgid: str, result: str) -> Heard:
    """WeChat's word on what became of a template message."""
    fields = {
        "ToUserName": stage.account.original_id,
        "FromUserName": stage.openid,
        "MsgType": "event",
        "Event": "TEMPLATESENDJOBFINISH",
        "MsgID": msgid,
        "Status": result,
    }
    return Heard(
        account=stage.account,
        openid=stage.openid,
        fan_id=None,
        message=parse_message(fields),
        now=SystemClock().now(),
    )
