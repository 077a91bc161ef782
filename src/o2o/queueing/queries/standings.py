"""How tickets stand that wait no longer, many at once: for the pages that are open on them."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx

_STANDINGS = text(
    "SELECT t.id, t.status, (SELECT max(c.seq) FROM queue_calls c WHERE c.ticket_id = t.id)"
    " AS call_seq FROM tickets t WHERE t.id = ANY(CAST(:ticket_ids AS uuid[]))"
)
# Whose a ticket is: the fan's who took it, the member's, and so another account's fan's of the same
# member. Part of larger statements.
IS_OWN = (
    "(t.fan_id = :fan_id OR t.member_id = :member_id OR EXISTS"
    " (SELECT 1 FROM fans f WHERE f.id = t.fan_id AND f.member_id = :member_id))"
)
# The brand is that of the store: a fan of another brand has no business here even with the id.
_OWN = text(
    "SELECT t.queue_id, t.business_on FROM tickets t JOIN stores s ON s.id = t.store_id"  # noqa: S608 - our own text
    f" WHERE t.id = :ticket_id AND s.brand_id = :brand_id AND {IS_OWN}"
)


class TicketStanding(msgspec.Struct, frozen=True):
    """A ticket's status and the last call of it."""

    status: TicketStatus
    call_seq: int | None

    @property
    def mark(self) -> str:
        """Name what a page has to be read anew for."""
        return f"{self.status.value}:{self.call_seq or 0}"


async def list_standings(tx: Tx, ticket_ids: Collection[UUID]) -> dict[UUID, TicketStanding]:
    """Return how these tickets stand."""
    rows = await tx.execute(_STANDINGS, {"ticket_ids": list(ticket_ids)})
    return {row.id: TicketStanding(TicketStatus(row.status), row.call_seq) for row in rows}


async def find_own_line(
    tx: Tx, ticket_id: UUID, *, fan_id: UUID, member_id: UUID | None, brand_id: UUID
) -> tuple[UUID, date] | None:
    """Return the line of a ticket that is this person's, else None."""
    values = {
        "ticket_id": ticket_id,
        "fan_id": fan_id,
        "member_id": member_id,
        "brand_id": brand_id,
    }
    row = (await tx.execute(_OWN, values)).first()
    return (row.queue_id, row.business_on) if row else None
