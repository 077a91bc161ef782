"""Hold at the counter: an amount is set aside on a card, under the rules of a charge.

Set-based, for the coalescer; refusals come back as data because a wrong member code is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, StoreId, VisitId
from o2o.ledger.actions.debit_stored_value import DrawOrder
from o2o.ledger.actions.hold_stored_value import Held, HoldStoredValue, hold_stored_value
from o2o.membership.actions.check_visits import Cleared
from o2o.membership.actions.spend_at_counter import spend_at_counter
from o2o.membership.scanners import ByKey

__all__ = ["Held", "HoldAtCounter", "hold_at_counter"]


class HoldAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Set `amount_fen` of the member's card aside for a store until `expires_at` (exclusive).

    A key names a visit, brings a member code (as its hash), or holds unattended if it may debit so.
    """

    request_id: RequestId
    member_id: UUID
    amount_fen: int
    expires_at: datetime
    by: ByKey
    now: datetime
    reason: str | None = None
    visit_id: UUID | None = None
    code_hash: bytes | None = None


async def hold_at_counter(tx: Tx, commands: Sequence[HoldAtCounter]) -> list[Held | Fact]:
    """Answer each hold in order; sent again, it is answered from the books.

    Facts: those of spend_at_counter and of hold_stored_value.
    """
    return await spend_at_counter(tx, commands, move=_hold_all)


async def _hold_all(
    tx: Tx, cleared: Sequence[tuple[HoldAtCounter, Cleared]], order: DrawOrder
) -> list[Held | Fact]:
    wanted = [_wanted(command, clear) for command, clear in cleared]
    return await hold_stored_value(tx, wanted, order=order)


def _wanted(command: HoldAtCounter, clear: Cleared) -> HoldStoredValue:
    return HoldStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(command.by.store_id),
        amount_fen=command.amount_fen,
        expires_at=command.expires_at,
        reason=command.reason,
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        api_key_id=APIKeyId(command.by.key_id),
        now=command.now,
    )
