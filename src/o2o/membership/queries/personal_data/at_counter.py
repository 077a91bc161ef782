"""Tables of what somebody did at the counter: visits, codes, bills, what was given for them."""

from o2o.membership.queries.personal_data.knowledge import OF_MEMBER, Fate, Knowledge

AT_COUNTER: tuple[Knowledge, ...] = (
    Knowledge(
        table="member_codes",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.issued_at, t.used_at, s.name AS store",
        joins="LEFT JOIN stores s ON s.id = t.used_in_store_id",
        order="t.issued_at",
    ),
    Knowledge(
        table="counter_visits",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub="code_hash = NULL",
        why="the books name the visit in which money moved",
        given="s.name AS store, t.opened_at, t.closed_at, t.held_at, t.confirmed_at",
        joins="JOIN stores s ON s.id = t.store_id",
        order="t.opened_at",
    ),
    Knowledge(
        table="charge_answers",
        whose=OF_MEMBER,
        fate=Fate.KEEP,
        why="whether a charge was agreed to, under a number",
        given="s.name AS store, t.amount_fen, t.status, t.asked_at, t.answered_at, t.answered_via",
        joins="JOIN stores s ON s.id = t.store_id",
        order="t.asked_at",
    ),
    Knowledge(
        table="purchase_lines",
        whose=(
            "t.purchase_id IN (SELECT id FROM purchases"
            " WHERE member_id = ANY(CAST(:member_ids AS uuid[])))"
        ),
        fate=Fate.DELETE,
        given="p.bought_at, s.name AS store, t.item_name, t.quantity, t.amount_fen",
        joins=("JOIN purchases p ON p.id = t.purchase_id JOIN stores s ON s.id = p.store_id"),
        order="p.bought_at, t.position",
    ),
    Knowledge(
        table="purchases",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.bought_at, s.name AS store, t.external_id, t.total_fen",
        joins="JOIN stores s ON s.id = t.store_id",
        order="t.bought_at",
    ),
    Knowledge(
        table="birthday_gifts",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.year, t.points, t.given_at",
        order="t.given_at",
    ),
    Knowledge(
        table="points_reminders",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.expires_at, t.points, t.told_at",
        order="t.told_at",
    ),
)
