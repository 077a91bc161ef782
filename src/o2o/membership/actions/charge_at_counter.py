"""Charge at the counter: a member pays with the card, inside a visit.

Set-based, for the coalescer; refusals come back as data because a wrong member code is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, StaffId, StoreId, VisitId
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    DrawOrder,
    Transferred,
    debit_stored_value,
)
from o2o.membership.actions.check_visits import Cleared
from o2o.membership.actions.spend_at_counter import spend_at_counter
from o2o.membership.scanners import AtPad, Scanner


class ChargeAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Take `amount_fen` from the member's card in the scanner's store.

    A pad names its visit; a key names a visit, brings a member code (as its hash), or debits
    unattended if it may.
    """

    request_id: RequestId
    member_id: UUID
    amount_fen: int
    by: Scanner
    now: datetime
    reason: str | None = None
    visit_id: UUID | None = None
    code_hash: bytes | None = None


async def charge_at_counter(
    tx: Tx, commands: Sequence[ChargeAtCounter]
) -> list[Transferred | Fact]:
    """Answer each charge in order; sent again, it is answered from the books.

    Facts: those of spend_at_counter and of debit_stored_value.
    """
    return await spend_at_counter(tx, commands, move=_debit_all)


async def _debit_all(
    tx: Tx, cleared: Sequence[tuple[ChargeAtCounter, Cleared]], order: DrawOrder
) -> list[Transferred | Fact]:
    debits = [_debit(command, clear) for command, clear in cleared]
    return await debit_stored_value(tx, debits, order=order)


def _debit(command: ChargeAtCounter, clear: Cleared) -> DebitStoredValue:
    by = command.by
    return DebitStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(by.store_id),
        amount_fen=command.amount_fen,
        reason=command.reason,
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        staff_id=StaffId(by.staff_id) if isinstance(by, AtPad) else None,
        api_key_id=None if isinstance(by, AtPad) else APIKeyId(by.key_id),
        now=command.now,
    )
