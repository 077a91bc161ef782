"""Single transfers, by their own name or by that of the intention behind them."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import aliased

from o2o.crm.ledger import LedgerAccount, LedgerReason, LedgerTransfer
from o2o.crm.statuses import Asset, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, RequestId, StaffId, StoreId, TransferId, VisitId
from o2o.ledger.reasons import MARK


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that moved, seen from the member whose pocket it touched."""

    id: TransferId
    request_id: RequestId
    part: int
    kind: TransferKind
    asset: Asset
    amount: int
    member_id: MemberId
    # The receiver, where it went from one member to another.
    to_member_id: MemberId | None
    reverses_id: TransferId | None
    store_id: StoreId | None
    visit_id: VisitId | None
    staff_id: StaffId | None
    reason: str | None
    at: datetime


_BETWEEN_MEMBERS = {TransferKind.PASSED_ON, TransferKind.MERGED, TransferKind.UNMERGED}

_SOURCE, _TARGET = aliased(LedgerAccount), aliased(LedgerAccount)

# Between two members the one who gives is the one who acted.
_OF_MEMBERS = (
    select(
        LedgerTransfer,
        case((_SOURCE.balance.is_not(None), _SOURCE.owner_id), else_=_TARGET.owner_id),
        _TARGET.owner_id,
        func.coalesce(
            LedgerReason.reason,
            case((LedgerTransfer.reason.not_like(f"{MARK}%"), LedgerTransfer.reason)),
        ),
    )
    .join(_SOURCE, _SOURCE.id == LedgerTransfer.from_account_id)
    .join(_TARGET, _TARGET.id == LedgerTransfer.to_account_id)
    .outerjoin(LedgerReason, LedgerReason.transfer_id == LedgerTransfer.id)
)


async def find_transfer(tx: Tx, transfer_id: TransferId) -> Transfer | None:
    """Return one transfer."""
    row = (await tx.execute(_OF_MEMBERS.where(LedgerTransfer.id == transfer_id))).first()
    return _transfer(row) if row else None


async def find_transfers_of_request(tx: Tx, request_id: RequestId) -> list[Transfer]:
    """Return what an intention moved, in parts: a top-up has its principal and its bonus."""
    rows = await tx.execute(
        _OF_MEMBERS.where(LedgerTransfer.request_id == request_id).order_by(LedgerTransfer.part)
    )
    return [_transfer(row) for row in rows]


def _transfer(found: Row[LedgerTransfer, UUID, UUID, str | None]) -> Transfer:
    row, member_id, to_id, reason = found
    is_between_members = row.kind in _BETWEEN_MEMBERS
    return Transfer(
        id=TransferId(row.id),
        request_id=RequestId(row.request_id),
        part=row.part,
        kind=row.kind,
        asset=row.asset,
        amount=row.amount,
        member_id=MemberId(member_id),
        to_member_id=MemberId(to_id) if is_between_members else None,
        reverses_id=TransferId(row.reverses_id) if row.reverses_id else None,
        store_id=StoreId(row.store_id) if row.store_id else None,
        visit_id=VisitId(row.visit_id) if row.visit_id else None,
        staff_id=StaffId(row.staff_id) if row.staff_id else None,
        reason=reason,
        at=row.created_at,
    )
