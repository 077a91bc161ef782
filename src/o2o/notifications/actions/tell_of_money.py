"""Tell a member that stored value was debited or topped up: 门店消费即时通知 and its sibling."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.infra.database import Tx
from o2o.notifications.queries import find_recipient
from o2o.wechat.actions.queue_messages import queue_template_message

DEBITED = "stored_value_debited"
TOPPED_UP = "stored_value_topped_up"
REVERSED = "stored_value_reversed"
# As many as a receipt shows.
NUMBER_CHARS = 8


async def tell_of_debit(
    tx: Tx,
    *,
    transfer_id: UUID,
    member_id: UUID,
    store_id: UUID,
    amount_fen: int,
    balance_fen: int,
    at: datetime,
    now: datetime,
) -> UUID | None:
    """Queue the message; None when the member follows no account of the brand, or was told."""
    return await _tell(
        tx,
        purpose=DEBITED,
        transfer_id=transfer_id,
        member_id=member_id,
        store_id=store_id,
        amounts={"amount": amount_fen, "balance": balance_fen},
        at=at,
        now=now,
    )


async def tell_of_top_up(
    tx: Tx,
    *,
    transfer_id: UUID,
    member_id: UUID,
    store_id: UUID,
    principal_fen: int,
    bonus_fen: int,
    balance_fen: int,
    at: datetime,
    now: datetime,
) -> UUID | None:
    """Queue the message; None when the member follows no account of the brand, or was told."""
    return await _tell(
        tx,
        purpose=TOPPED_UP,
        transfer_id=transfer_id,
        member_id=member_id,
        store_id=store_id,
        amounts={"amount": principal_fen, "bonus": bonus_fen, "balance": balance_fen},
        at=at,
        now=now,
    )


async def tell_of_reversal(
    tx: Tx,
    *,
    transfer_id: UUID,
    reverses_id: UUID,
    member_id: UUID,
    store_id: UUID,
    amount_fen: int,
    to: str,
    at: datetime,
    now: datetime,
) -> UUID | None:
    """Queue the message that something was taken back; `to` says in words where the money goes.

    None when the member follows no account of the brand, or was told.
    """
    found = await find_recipient(tx, member_id=member_id, store_id=store_id)
    if found is None:
        return None
    return await queue_template_message(
        tx,
        account_id=found.account_id,
        openid=found.openid,
        purpose=REVERSED,
        values={
            # As it stands on the receipt of what was taken back.
            "number": reverses_id.hex[-NUMBER_CHARS:].upper(),
            "amount": amount_fen,
            "to": to,
            "at": at.astimezone(ZoneInfo(found.timezone)),
        },
        url=f"/h5/{found.account_slug}/wallet",
        client_msg_id=transfer_id.hex,
        now=now,
    )


async def _tell(
    tx: Tx,
    *,
    purpose: str,
    transfer_id: UUID,
    member_id: UUID,
    store_id: UUID,
    amounts: Mapping[str, int],
    at: datetime,
    now: datetime,
) -> UUID | None:
    to = await find_recipient(tx, member_id=member_id, store_id=store_id)
    if to is None:
        return None
    return await queue_template_message(
        tx,
        account_id=to.account_id,
        openid=to.openid,
        purpose=purpose,
        values={"store": to.store_name, **amounts, "at": at.astimezone(ZoneInfo(to.timezone))},
        url=f"/h5/{to.account_slug}/wallet",
        # Thirty-two characters, as many as WeChat keeps: one transfer, one message.
        client_msg_id=transfer_id.hex,
        now=now,
    )
