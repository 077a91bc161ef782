"""Top up at the counter: money comes in, at a pad inside a visit, onto the member's card.

Set-based, for the coalescer. A key tops up without a visit: money only comes in.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, StaffId, StoreId, VisitId
from o2o.ledger.actions.top_up_stored_value import (
    TopUpStoredValue,
    Transferred,
    prepaid_limit_fen,
    top_up_stored_value,
)
from o2o.membership.actions.check_visits import Cleared, check_visits
from o2o.membership.scanners import AtPad, Scanner


class TopUpAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Put `principal_fen` that was paid, and `bonus_fen` that is given, onto the card."""

    request_id: RequestId
    member_id: UUID
    principal_fen: int
    bonus_fen: int
    tender: Tender
    by: Scanner
    now: datetime
    visit_id: UUID | None = None
    code_hash: bytes | None = None


async def top_up_at_counter(tx: Tx, commands: Sequence[TopUpAtCounter]) -> list[Transferred | Fact]:
    """Answer each top-up in order; sent again, it is answered from the books.

    Facts: those of check_visits and of top_up_stored_value. The card of a named member may hold
    5,000 yuan, of another one 1,000.
    """
    cleared = await check_visits(tx, commands)
    top_ups = [
        _top_up(c, clear)
        for c, clear in zip(commands, cleared, strict=True)
        if clear.refusal is None
    ]
    done = iter(await top_up_stored_value(tx, top_ups) if top_ups else ())
    return [clear.refusal or next(done) for clear in cleared]


def _top_up(command: TopUpAtCounter, clear: Cleared) -> TopUpStoredValue:
    by = command.by
    assert clear.member is not None
    return TopUpStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(by.store_id),
        principal_fen=command.principal_fen,
        bonus_fen=command.bonus_fen,
        tender=command.tender,
        balance_fen_max=prepaid_limit_fen(is_named=clear.member.is_named),
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        staff_id=StaffId(by.staff_id) if isinstance(by, AtPad) else None,
        api_key_id=None if isinstance(by, AtPad) else APIKeyId(by.key_id),
        now=command.now,
    )
