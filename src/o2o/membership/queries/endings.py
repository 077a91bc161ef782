"""Reads of proposals to end a programme: the live one, under lock or to be shown."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.adjustments import ProgrammeEnding
from o2o.crm.statuses import ProposalStatus
from o2o.infra.database import Tx
from o2o.membership.errors_programme import EndingNotFound


class EndingView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal to end the programme, as the console shows it."""

    id: UUID
    reason: str
    status: ProposalStatus
    proposed_by: UUID
    proposed_by_name: str
    proposed_at: datetime
    expires_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None


class Liability(msgspec.Struct, frozen=True):
    """What a brand owes its members now: principal, bonus, points, and how many have any."""

    principal_fen: int
    bonus_fen: int
    points: int
    members: int


_LATEST = text(
    "SELECT e.id, e.reason, e.status, e.proposed_by, p.name AS proposed_by_name, e.proposed_at,"
    " e.expires_at, d.name AS decided_by_name, e.decided_at FROM programme_endings e"
    " JOIN staff_members p ON p.id = e.proposed_by"
    " LEFT JOIN staff_members d ON d.id = e.decided_by"
    " WHERE e.brand_id = :brand_id ORDER BY e.proposed_at DESC, e.id DESC LIMIT 1"
)
_LIABILITY = text(
    "SELECT coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'principal'), 0)::bigint,"
    " coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'bonus'), 0)::bigint,"
    " coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'points'), 0)::bigint,"
    " count(DISTINCT a.owner_id) FILTER (WHERE l.kind = 'principal')"
    " FROM ledger_accounts a JOIN ledger_lots l ON l.account_id = a.id AND l.remaining > 0"
    " WHERE a.brand_id = :brand_id"
)


async def find_ending(tx: Tx, ending_id: UUID) -> ProgrammeEnding | None:
    """Return a proposal of any brand, for whoever compares a repeated request."""
    found: ProgrammeEnding | None = await tx.scalar(
        select(ProgrammeEnding).where(ProgrammeEnding.id == ending_id)
    )
    return found


async def lock_ending(tx: Tx, ending_id: UUID, *, brand_id: UUID) -> ProgrammeEnding:
    """Return a proposal of the brand, locked. Raises EndingNotFound."""
    found: ProgrammeEnding | None = await tx.scalar(
        select(ProgrammeEnding)
        .where(ProgrammeEnding.id == ending_id, ProgrammeEnding.brand_id == brand_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise EndingNotFound
    return found


async def find_latest_ending(tx: Tx, brand_id: UUID) -> EndingView | None:
    """Return the brand's latest proposal, however it stands."""
    row = (await tx.execute(_LATEST, {"brand_id": brand_id})).mappings().first()
    return msgspec.convert(dict(row), type=EndingView) if row else None


async def get_liability(tx: Tx, brand_id: UUID) -> Liability:
    """Return what is on the brand's cards now; one pass over what is unspent."""
    return Liability(*(await tx.execute(_LIABILITY, {"brand_id": brand_id})).one())
