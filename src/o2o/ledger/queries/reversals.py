"""What a transfer moved, and how much of it has been taken back: the ground for reversals."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import AccountId, LotId, MemberId, StoreId, TransferId
from o2o.ledger.journal import LotReturn
from o2o.ledger.queries.books import lot_of

# A transfer has one side in a member's pocket; those with two are not taken back this way.
_SUBJECTS = text(
    "SELECT t.id, t.kind, t.amount, t.store_id, t.tender, a.owner_id AS member_id,"
    " CASE WHEN a.id = t.from_account_id THEN t.to_account_id ELSE t.from_account_id END"
    " AS counterpart_id, b.id AS bonus_id, b.amount AS bonus_amount,"
    " b.from_account_id AS bonus_counterpart_id"
    " FROM ledger_transfers t"
    " JOIN ledger_accounts a ON a.id IN (t.from_account_id, t.to_account_id)"
    " AND a.balance IS NOT NULL"
    " LEFT JOIN ledger_transfers b"
    " ON b.request_id = t.request_id AND b.kind = 'top_up_bonus' AND t.kind = 'top_up'"
    " WHERE t.id = ANY(CAST(:ids AS uuid[]))"
)

_REVERSED = text(
    "SELECT transfer_id, reversed FROM ledger_reversals"
    " WHERE transfer_id = ANY(CAST(:ids AS uuid[]))"
)

# What each transfer drew from which lot and still keeps of it: drawn by itself or by the hold that
# it posted, less what went back when the hold ended and what earlier reversals gave back.
_KEPT = text(
    "SELECT k.id AS transfer_id, l.id, l.kind, l.granted_at, l.expires_at,"
    " sum(k.amount)::bigint AS remaining FROM ("
    " SELECT d.transfer_id AS id, d.lot_id, d.amount FROM ledger_lot_draws d"
    " WHERE d.transfer_id = ANY(CAST(:ids AS uuid[]))"
    " UNION ALL SELECT h.posted_id, d.lot_id, d.amount FROM ledger_holds h"
    " JOIN ledger_lot_draws d ON d.transfer_id = h.id"
    " WHERE h.posted_id = ANY(CAST(:ids AS uuid[]))"
    " UNION ALL SELECT h.posted_id, r.lot_id, -r.amount FROM ledger_holds h"
    " JOIN ledger_lot_returns r ON r.transfer_id = h.released_id"
    " WHERE h.posted_id = ANY(CAST(:ids AS uuid[]))"
    " UNION ALL SELECT t.reverses_id, r.lot_id, -r.amount FROM ledger_transfers t"
    " JOIN ledger_lot_returns r ON r.transfer_id = t.id"
    " WHERE t.reverses_id = ANY(CAST(:ids AS uuid[]))"
    " ) k JOIN ledger_lots l ON l.id = k.lot_id"
    " GROUP BY k.id, l.id HAVING sum(k.amount) > 0"
    # What was drawn last goes back first.
    " ORDER BY k.id, l.granted_at DESC, l.id DESC"
)

# A member who became part of another, who may have become part of a third.
_HEIRS = text(
    "WITH RECURSIVE chain AS ("
    " SELECT m.id AS member_id, m.id AS heir_id, m.merged_into_id FROM members m"
    " WHERE m.id = ANY(CAST(:member_ids AS uuid[]))"
    " UNION ALL SELECT c.member_id, m.id, m.merged_into_id FROM chain c"
    " JOIN members m ON m.id = c.merged_into_id)"
    " SELECT member_id, heir_id FROM chain WHERE merged_into_id IS NULL"
)

# The lots in these accounts whose value first came with one of these transfers, by whatever ways.
_DESCENT = text(
    "WITH RECURSIVE chain AS ("
    " SELECT l.id AS lot_id, l.parent_lot_id, l.origin_transfer_id FROM ledger_lots l"
    " WHERE l.account_id = ANY(CAST(:account_ids AS uuid[])) AND l.remaining > 0"
    " UNION ALL SELECT c.lot_id, p.parent_lot_id, p.origin_transfer_id FROM chain c"
    " JOIN ledger_lots p ON p.id = c.parent_lot_id)"
    " SELECT lot_id, origin_transfer_id FROM chain WHERE parent_lot_id IS NULL"
)


class Subject(msgspec.Struct, kw_only=True):
    """A transfer that is to be taken back; `reversed` and `kept` change as the batch goes on."""

    id: TransferId
    kind: TransferKind
    amount: int
    store_id: StoreId | None
    tender: Tender | None
    member_id: MemberId
    # The store's or brand's side.
    counterpart_id: AccountId
    bonus_id: TransferId | None
    bonus_amount: int
    bonus_counterpart_id: AccountId | None
    reversed: int = 0
    bonus_reversed: int = 0
    # The lots it drew on, with what it keeps of each.
    kept: list[LotReturn] = msgspec.field(default_factory=list)

    @property
    def left(self) -> int:
        """How much may still be taken back."""
        return self.amount - self.reversed


async def find_subjects(tx: Tx, ids: Collection[TransferId]) -> dict[TransferId, Subject]:
    """Return what these transfers were. Nothing in it ever changes, so no lock is needed."""
    rows = await tx.execute(_SUBJECTS, {"ids": sorted(ids)})
    return {
        TransferId(row.id): Subject(
            id=TransferId(row.id),
            kind=TransferKind(row.kind),
            amount=row.amount,
            store_id=row.store_id,
            tender=Tender(row.tender) if row.tender else None,
            member_id=MemberId(row.member_id),
            counterpart_id=AccountId(row.counterpart_id),
            bonus_id=row.bonus_id,
            bonus_amount=row.bonus_amount or 0,
            bonus_counterpart_id=row.bonus_counterpart_id,
        )
        for row in rows
    }


async def read_state(tx: Tx, subjects: dict[TransferId, Subject]) -> None:
    """Add what has been taken back already; to be asked under the lock of the pockets."""
    bonus_of = {s.bonus_id: s for s in subjects.values() if s.bonus_id is not None}
    for row in await tx.execute(_REVERSED, {"ids": [*subjects, *bonus_of]}):
        if row.transfer_id in bonus_of:
            bonus_of[row.transfer_id].bonus_reversed = row.reversed
        else:
            subjects[row.transfer_id].reversed = row.reversed
    for row in await tx.execute(_KEPT, {"ids": list(subjects)}):
        subjects[row.transfer_id].kept.append(LotReturn(lot=lot_of(row), amount=row.remaining))


async def find_heirs(tx: Tx, member_ids: Collection[MemberId]) -> dict[MemberId, MemberId]:
    """Return for each member who holds their value now: themselves, or whom they became."""
    heirs = {member_id: member_id for member_id in member_ids}
    for row in await tx.execute(_HEIRS, {"member_ids": sorted(member_ids)}):
        heirs[MemberId(row.member_id)] = MemberId(row.heir_id)
    return heirs


async def find_descent(tx: Tx, account_ids: Sequence[AccountId]) -> dict[TransferId, set[LotId]]:
    """Return for the unspent lots of accounts with which transfer their value first came."""
    descent: dict[UUID, set[LotId]] = defaultdict(set)
    for row in await tx.execute(_DESCENT, {"account_ids": list(account_ids)}):
        descent[row.origin_transfer_id].add(LotId(row.lot_id))
    return {TransferId(origin): lots for origin, lots in descent.items()}
