"""Messages to fans: queued once, sent outside of transactions, their fate recorded."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from o2o.infra.database import transaction
from o2o.kernel.clock import SystemClock
from o2o.wechat.actions.queue_messages import queue_custom_message, queue_template_message
from o2o.wechat.api import STABLE_TOKEN
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.errors import PurposeUnknown, TemplateValuesWrong
from o2o.wechat.gateway import _Client
from o2o.wechat.templates import Value
from tests.integration.wechat.sandboxed.conftest import Stage

DINNER = datetime(2026, 11, 20, 18, 5, tzinfo=ZoneInfo("Asia/Shanghai"))
VALUES: dict[str, Value] = {
    "store": "江南小灶静安寺店",
    "amount": 3800,
    "balance": 126250,
    "at": DINNER,
}
SEND = "/cgi-bin/message/template/send"


async def queue(stage: Stage, client_msg_id: str = "transfer-1", **changes: Any) -> object:
    async with transaction(stage.sessions) as tx:
        return await queue_template_message(
            tx,
            account_id=stage.account.id,
            openid=changes.pop("openid", stage.openid),
            purpose=changes.pop("purpose", "stored_value_debited"),
            values=VALUES | changes,
            url=f"/h5/{stage.account.slug}/wallet",
            client_msg_id=client_msg_id,
            now=SystemClock().now(),
        )


async def fate(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.rows("SELECT status, errcode, error FROM deliveries ORDER BY created_at, id")


async def settled(stage: Stage, status: str) -> None:
    for _ in range(100):
        if await stage.rows(f"SELECT 1 FROM deliveries WHERE status = '{status}'"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(await fate(stage))


async def test_a_template_message_reaches_the_phone_and_is_confirmed(stage: Stage) -> None:
    await stage.follow()
    await queue(stage)
    assert await fate(stage) == [("queued", None, None)]
    await stage.run_errands()
    [shown] = await stage.chat("template")
    assert shown["title"] == "门店消费即时通知"
    assert [(field["label"], field["value"]) for field in shown["fields"]] == [
        ("门店", "江南小灶静安寺店"),
        ("消费金额", "38.00元"),
        ("账户余额", "1262.50元"),
        ("消费时间", "2026年11月20日 18:05"),
    ]
    assert shown["url"] == f"{stage.public_url}/h5/{stage.account.slug}/wallet"
    await settled(stage, "delivered")


async def test_one_client_msg_id_is_queued_and_shown_once(stage: Stage) -> None:
    await stage.follow()
    assert await queue(stage) is not None
    assert await queue(stage) is None
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1


async def test_an_unknown_outcome_is_sent_again_with_the_same_id_and_shown_once(
    stage: Stage,
) -> None:
    await stage.follow()
    await stage.fail(SEND, drop=True, applied=True, times=1)
    await queue(stage)
    await stage.run_errands()
    assert await fate(stage) == [("queued", None, None)]
    await make_due(stage)
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1
    assert (await fate(stage))[0][0] in {"accepted", "delivered"}


async def make_due(stage: Stage) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    async with transaction(stage.sessions) as tx:
        await tx.execute(text("UPDATE outbox_messages SET available_at = now() - interval '1 s'"))


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"errcode": 45009}, {"status": 503}])
async def test_what_may_pass_is_tried_again(stage: Stage, fault: dict[str, int]) -> None:
    await stage.follow()
    await queue(stage)
    await stage.fail(SEND, times=1, **fault)
    await stage.run_errands()
    assert await fate(stage) == [("queued", None, None)]
    assert await stage.rows("SELECT dead_at FROM outbox_messages WHERE topic LIKE 'wechat.%'") == [
        (None,)
    ]
    await make_due(stage)
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1


async def test_a_refused_request_for_a_token_is_no_refusal_of_the_message(stage: Stage) -> None:
    await stage.follow()
    await queue(stage)
    # Of the family that says of a message that it will never be taken.
    await stage.fail(STABLE_TOKEN, errcode=40002, times=1)
    await stage.run_errands()
    assert await fate(stage) == [("queued", None, None)]
    await make_due(stage)
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1


@pytest.mark.parametrize("answer", [{}, {"code": 502}, {"errmsg": "ok"}, {"base_resp": 5}])
async def test_what_does_not_say_that_it_was_taken_is_sent_again(
    stage: Stage, answer: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.follow()
    await queue(stage)
    with monkeypatch.context() as patched:
        patched.setattr(_Client, "_decode_result", somebody_else(answer))
        await stage.run_errands()
    assert await fate(stage) == [("queued", None, None)]
    await make_due(stage)
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1


def somebody_else(answer: dict[str, object]) -> Callable[..., dict[str, Any]]:
    """A reader of answers that finds this one to whatever was sent, as behind an odd proxy."""
    read = _Client._decode_result

    def decode(client: _Client, res: Any) -> dict[str, Any]:
        decoded: dict[str, Any] = read(client, res)
        return dict(answer) if SEND in str(res.url) else decoded

    return decode


async def test_who_does_not_follow_is_refused_for_good_and_known_to_be_gone(
    stage: Stage, control: httpx.AsyncClient
) -> None:
    await stage.follow()
    await control.post(
        f"/_sandbox/people/{stage.person['id']}/unfollow", json={"account": stage.account.slug}
    )
    await stage.rows("SELECT 1")
    await queue(stage)
    await stage.run_errands()
    [(status, errcode, error)] = await fate(stage)
    assert (status, errcode) == ("refused", 43004)
    assert "rid" not in error
    assert await stage.rows("SELECT is_following FROM fans") == [(False,)]
    assert await stage.chat("template") == []
    assert await stage.rows("SELECT 1 FROM outbox_messages WHERE topic LIKE 'wechat.send%'") == []


async def test_a_person_who_blocks_messages_is_told_by_the_event(
    stage: Stage, control: httpx.AsyncClient
) -> None:
    await stage.follow()
    path = f"/_sandbox/people/{stage.person['id']}"
    await control.patch(path, json={"refusing": [stage.account.slug]})
    await queue(stage)
    await stage.run_errands()
    await settled(stage, "refused")
    assert await fate(stage) == [("refused", None, "user_block")]


async def test_a_template_deleted_on_the_platform_is_added_again(stage: Stage) -> None:
    await stage.follow()
    ids = await stage.services.templates.ensure_templates(stage.account)
    assert await stage.services.templates.ensure_templates(stage.account) == ids
    await stage.services.api.post(
        stage.account,
        "/cgi-bin/template/del_private_template",
        {"template_id": ids["stored_value_debited"]},
    )
    await queue(stage)
    await stage.run_errands()
    assert await fate(stage) == [("queued", None, None)]
    await make_due(stage)
    await stage.run_errands()
    assert len(await stage.chat("template")) == 1


async def test_the_result_may_come_before_we_know_the_message(stage: Stage) -> None:
    """WeChat's event overtakes the answer to our call: the row learns its fate all the same."""
    await stage.follow()
    await queue(stage)
    await stage.fail(SEND, delay_ms=0, drop=True, applied=True, times=1)
    await stage.run_errands()
    for _ in range(100):
        event = "SELECT 1 FROM inbound_messages WHERE event = 'TEMPLATESENDJOBFINISH'"
        if await stage.rows(event):
            break
        await asyncio.sleep(0.05)
    assert await fate(stage) == [("queued", None, None)]
    await make_due(stage)
    await stage.run_errands()
    assert await fate(stage) == [("delivered", None, None)]


async def test_messages_to_one_person_arrive_in_their_order(stage: Stage) -> None:
    await stage.follow()
    await stage.fail(SEND, errcode=-1, times=1)
    for number in range(3):
        await queue(stage, f"transfer-{number}", amount=100 * (number + 1))
    for _ in range(4):
        await stage.run_errands()
        await make_due(stage)
    await stage.run_errands()
    amounts = [message["fields"][1]["value"] for message in await stage.chat("template")]
    assert amounts == ["1.00元", "2.00元", "3.00元"]


async def test_a_customer_service_message(stage: Stage) -> None:
    await stage.follow()
    await stage.say("你好")
    async with transaction(stage.sessions) as tx:
        await queue_custom_message(
            tx,
            account_id=stage.account.id,
            openid=stage.openid,
            reply=TextReply("您的包裹“到了”😀"),
            client_msg_id="c1",
            now=SystemClock().now(),
        )
    await stage.run_errands()
    assert [message["content"] for message in await stage.chat("custom")] == ["您的包裹“到了”😀"]


async def test_wrong_values_queue_nothing(stage: Stage) -> None:
    with pytest.raises(PurposeUnknown):
        await queue(stage, purpose="anything")
    with pytest.raises(TemplateValuesWrong):
        await queue(stage, extra="x")
    with pytest.raises(TemplateValuesWrong):
        await queue(stage, amount=-1)
    assert await fate(stage) == []
    assert await stage.rows("SELECT 1 FROM outbox_messages") == []


async def test_a_new_follower_is_completed_with_a_unionid(stage: Stage) -> None:
    await stage.follow()
    assert await stage.rows("SELECT unionid FROM fans") == [(None,)]
    await stage.run_errands()
    assert await stage.rows("SELECT unionid FROM fans") == [(stage.person["unionid"],)]


async def test_a_refused_request_for_a_token_leaves_no_follower_without_a_unionid(
    stage: Stage,
) -> None:
    await stage.follow()
    await stage.fail(STABLE_TOKEN, errcode=40002, times=1)
    await stage.run_errands()
    assert await stage.rows("SELECT unionid FROM fans") == [(None,)]
    await make_due(stage)
    await stage.run_errands()
    assert await stage.rows("SELECT unionid FROM fans") == [(stage.person["unionid"],)]
