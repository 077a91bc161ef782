"""Single transfers, by their own name or by that of the intention behind them."""

from datetime import datetime

import msgspec
from sqlalchemy import select

from o2o.crm.ledger import LedgerAccount, LedgerTransfer
from o2o.crm.statuses import Asset, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, RequestId, StaffId, StoreId, TransferId, VisitId


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that moved, seen from the member whose pocket it touched."""

    id: TransferId
    request_id: RequestId
    part: int
    kind: TransferKind
    asset: Asset
    amount: int
    member_id: MemberId
    store_id: StoreId | None
    visit_id: VisitId | None
    staff_id: StaffId | None
    reason: str | None
    at: datetime


_OF_MEMBERS = (
    select(LedgerTransfer, LedgerAccount.owner_id)
    .join(
        LedgerAccount,
        LedgerAccount.id.in_((LedgerTransfer.from_account_id, LedgerTransfer.to_account_id)),
    )
    .where(LedgerAccount.balance.is_not(None))
)


async def find_transfer(tx: Tx, transfer_id: TransferId) -> Transfer | None:
    """Return one transfer."""
    row = (await tx.execute(_OF_MEMBERS.where(LedgerTransfer.id == transfer_id))).first()
    return _transfer(row[0], member_id=MemberId(row[1])) if row else None


async def find_transfers_of_request(tx: Tx, request_id: RequestId) -> list[Transfer]:
    """Return what an intention moved, in parts: a top-up has its principal and its bonus."""
    rows = await tx.execute(
        _OF_MEMBERS.where(LedgerTransfer.request_id == request_id).order_by(LedgerTransfer.part)
    )
    return [_transfer(row[0], member_id=MemberId(row[1])) for row in rows]


def _transfer(row: LedgerTransfer, *, member_id: MemberId) -> Transfer:
    return Transfer(
        id=TransferId(row.id),
        request_id=RequestId(row.request_id),
        part=row.part,
        kind=row.kind,
        asset=row.asset,
        amount=row.amount,
        member_id=member_id,
        store_id=StoreId(row.store_id) if row.store_id else None,
        visit_id=VisitId(row.visit_id) if row.visit_id else None,
        staff_id=StaffId(row.staff_id) if row.staff_id else None,
        reason=row.reason,
        at=row.created_at,
    )
