"""Tables of somebody's places in queues and promised arrivals."""

from o2o.membership.queries.personal_data.knowledge import ERASED, Fate, Knowledge

_OF_EITHER = (
    "(t.member_id = ANY(CAST(:member_ids AS uuid[])) OR t.fan_id = ANY(CAST(:fan_ids AS uuid[])))"
)

WAITING: tuple[Knowledge, ...] = (
    Knowledge(
        table="tickets",
        whose=_OF_EITHER,
        fate=Fate.SCRUB,
        scrub="member_id = NULL, fan_id = NULL",
        why="numbers of a day have no gaps, and waits are learnt from all that were waited",
        given=(
            "t.taken_at, s.name AS store, q.code || lpad(t.number::text, 3, '0') AS number,"
            " t.party_size, t.status, t.called_at, t.ended_at"
        ),
        joins="JOIN stores s ON s.id = t.store_id JOIN queues q ON q.id = t.queue_id",
        order="t.taken_at",
    ),
    Knowledge(
        table="bookings",
        whose=_OF_EITHER,
        fate=Fate.SCRUB,
        scrub=(
            "member_id = NULL, fan_id = NULL,"
            f" reason = CASE WHEN t.reason IS NULL THEN NULL ELSE '{ERASED}' END"
        ),
        why="how many came to which slot, and that a place is kept until its time is over",
        given=(
            "t.booked_at, s.name AS store, t.starts_at, t.party_size, t.code, t.status,"
            " t.arrived_at, t.ended_at"
        ),
        joins="JOIN stores s ON s.id = t.store_id",
        order="t.starts_at",
    ),
)
