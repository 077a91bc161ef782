"""Take a paper number onto one's phone: once, by whoever holds the paper first."""

from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.errors import TicketAlreadyActive, TicketNotActive, TicketNotFound
from o2o.queueing.errors_door import TicketHasOwner
from o2o.queueing.queries.own_tickets import Holder

_LOCK = text(
    "SELECT t.status, t.store_id, t.fan_id, t.member_id, t.ended_at FROM tickets t"
    " JOIN stores s ON s.id = t.store_id WHERE t.id = :ticket_id AND s.brand_id = :brand_id"
    " FOR NO KEY UPDATE OF t"
)
_OTHER = text(
    "SELECT t.id, q.code || lpad(t.number::text, 3, '0') AS number FROM tickets t"
    " JOIN queues q ON q.id = t.queue_id WHERE t.store_id = :store_id AND t.id <> :ticket_id"
    " AND t.status IN ('waiting', 'called')"
    " AND (t.fan_id = :fan_id OR t.member_id = :member_id) LIMIT 1"
)
_CLAIM = text("UPDATE tickets SET fan_id = :fan_id, member_id = :member_id WHERE id = :ticket_id")


async def claim_paper_ticket(tx: Tx, *, ticket_id: UUID, holder: Holder) -> bool:
    """Make the number this person's; False when it was already.

    Raises TicketNotFound, TicketHasOwner, TicketNotActive, TicketAlreadyActive.
    """
    row = (await tx.execute(_LOCK, {"ticket_id": ticket_id, "brand_id": holder.brand_id})).first()
    if row is None:
        raise TicketNotFound(ticket_id=ticket_id)
    if row.fan_id is not None or row.member_id is not None:
        is_own = row.fan_id == holder.fan_id or (
            row.member_id is not None and row.member_id == holder.member_id
        )
        if is_own:
            return False
        raise TicketHasOwner
    if row.ended_at is not None:
        raise TicketNotActive(status=row.status)
    values = {
        "ticket_id": ticket_id,
        "store_id": row.store_id,
        "fan_id": holder.fan_id,
        "member_id": holder.member_id,
    }
    other = (await tx.execute(_OTHER, values)).first()
    if other is not None:
        raise TicketAlreadyActive(ticket_id=other.id, number=other.number)
    # Two taps of one person in the same moment: the index lets one through, the other tries again.
    await tx.execute(_CLAIM, values)
    return True
