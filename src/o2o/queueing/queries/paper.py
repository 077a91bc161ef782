"""A number that was given on paper, as whoever holds the paper sees it."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.errors import TicketNotFound
from o2o.queueing.queries.own_tickets import Holder

_PAPER = text(
    "SELECT t.id, q.code || lpad(t.number::text, 3, '0') AS code, q.name, q.name_en, q.kind,"
    " s.name AS store_name, t.party_size, t.status, t.ended_at IS NULL AS is_active,"
    " t.fan_id IS NOT NULL OR t.member_id IS NOT NULL AS is_owned,"
    " coalesce(t.fan_id = :fan_id, false) OR coalesce(t.member_id = :member_id, false) AS is_own"
    " FROM tickets t JOIN queues q ON q.id = t.queue_id JOIN stores s ON s.id = t.store_id"
    " WHERE t.id = :ticket_id AND s.brand_id = :brand_id"
)


class PaperTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What the paper says, and whether it can still go onto a phone."""

    ticket_id: UUID
    code: str
    line_name: str
    line_name_en: str
    kind: str
    store_name: str
    party_size: int
    is_active: bool
    is_owned: bool
    is_own: bool


async def get_paper_ticket(tx: Tx, ticket_id: UUID, *, holder: Holder) -> PaperTicket:
    """Return a number of the brand. Raises TicketNotFound."""
    values = {
        "ticket_id": ticket_id,
        "brand_id": holder.brand_id,
        "fan_id": holder.fan_id,
        "member_id": holder.member_id,
    }
    row = (await tx.execute(_PAPER, values)).first()
    if row is None:
        raise TicketNotFound(ticket_id=ticket_id)
    return PaperTicket(
        ticket_id=row.id,
        code=row.code,
        line_name=row.name,
        line_name_en=row.name_en,
        kind=row.kind,
        store_name=row.store_name,
        party_size=row.party_size,
        is_active=row.is_active,
        is_owned=row.is_owned,
        is_own=row.is_own,
    )
