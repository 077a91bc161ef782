"""Ask a member in WeChat to look at the phone: a charge waits for the own yes."""

from datetime import datetime
from uuid import UUID

from o2o.infra.database import Tx
from o2o.kernel.money import format_yuan
from o2o.notifications.queries import find_recipient
from o2o.web.copy import Words
from o2o.wechat.actions.queue_messages import queue_custom_message
from o2o.wechat.codec.replies import TextReply


async def ask_for_payment(
    tx: Tx,
    *,
    words: Words,
    public_url: str,
    request_id: UUID,
    member_id: UUID,
    store_id: UUID,
    amount_fen: int,
    now: datetime,
) -> UUID | None:
    """Queue a customer-service message with the page on which to answer.

    WeChat takes it within two days of the member's last word to the account; else the open card
    page asks by itself. None when the member follows no account of the brand, or was asked.
    """
    to = await find_recipient(tx, member_id=member_id, store_id=store_id)
    if to is None:
        return None
    text = words.text(
        "shifts.told.asked",
        store=to.store_name,
        amount=format_yuan(amount_fen),
        url=f"{public_url}/h5/{to.account_slug}/charges/{request_id}",
    )
    return await queue_custom_message(
        tx,
        account_id=to.account_id,
        openid=to.openid,
        reply=TextReply(text),
        client_msg_id=request_id.hex,
        now=now,
    )
