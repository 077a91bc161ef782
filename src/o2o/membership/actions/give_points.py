"""Give points for events: for opening the card, and on the birthday, once a year."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, StoreId
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.membership.rules.points import points_expire_at
from o2o.membership.rules.request_ids import follows_from

# A birthday that nothing ran on is caught up with.
DAYS_BACK = 2

# A store stands behind every grant in the books: the member's own, else the brand's oldest.
_STORE = (
    " JOIN LATERAL (SELECT s.id, s.timezone FROM stores s WHERE s.brand_id = m.brand_id"
    " ORDER BY (s.id = m.home_store_id) DESC NULLS LAST, s.created_at, s.id LIMIT 1) s ON true"
    " JOIN programmes p ON p.brand_id = m.brand_id"
)
_JOINED = text(
    "SELECT m.id AS member_id, s.id AS store_id, s.timezone,"  # noqa: S608 - constants of ours
    f" p.points_valid_months, p.joining_points AS points FROM members m{_STORE}"
    " WHERE m.id = :member_id AND m.status = 'active' AND p.joining_points > 0"
)
# The day is the store's. Who was born on the last day of a leap February has the birthday on the
# last of February. The row comes first: of two jobs at once one gives.
_BIRTHDAYS = text(
    "WITH due AS (SELECT m.id AS member_id, s.id AS store_id,"  # noqa: S608 - constants of ours
    " s.timezone, p.points_valid_months, i.birthday_points AS points,"
    " extract(year FROM d.day)::smallint AS year"
    f" FROM members m JOIN tiers i ON i.id = m.tier_id AND i.birthday_points > 0{_STORE}"
    " CROSS JOIN LATERAL (SELECT (CAST(:now AS timestamptz) AT TIME ZONE s.timezone)::date"
    " - back AS day FROM generate_series(0, CAST(:back AS int)) AS back) d"
    " WHERE m.status = 'active' AND to_char(m.birthday, 'MMDD') = ANY(CAST(:days AS text[]))"
    " AND p.ended_at IS NULL AND (to_char(m.birthday, 'MMDD') = to_char(d.day, 'MMDD')"
    " OR (to_char(m.birthday, 'MMDD') = '0229' AND to_char(d.day, 'MMDD') = '0228'"
    " AND to_char(d.day + 1, 'MMDD') = '0301'))"
    " AND NOT EXISTS (SELECT 1 FROM birthday_gifts g WHERE g.member_id = m.id"
    " AND g.year = extract(year FROM d.day))"
    " ORDER BY m.id LIMIT :most),"
    " given AS (INSERT INTO birthday_gifts (member_id, year, points, given_at)"
    " SELECT member_id, year, points, :now FROM due ON CONFLICT DO NOTHING"
    " RETURNING member_id, year)"
    " SELECT due.* FROM due JOIN given USING (member_id, year)"
)


async def give_joining_points(tx: Tx, member_id: UUID, *, now: datetime) -> int:
    """Give the points for opening the card, once for ever; return how many."""
    rows = (await tx.execute(_JOINED, {"member_id": member_id})).all()
    await _grant(tx, rows, kind="points.joined", now=now)
    return sum(row.points for row in rows)


async def give_birthday_gifts(tx: Tx, *, now: datetime, most: int) -> int:
    """Give up to so many members the points of their tier's birthday gift; return how many did.

    A year's gift is given once, whatever the birthday is changed to afterwards.
    """
    # Every local day that is "today" anywhere, the days caught up with, and 29 February.
    days = {
        (now + timedelta(days=offset)).strftime("%m%d") for offset in range(-DAYS_BACK - 1, 2)
    } | {"0229"}
    parameters = {"now": now, "back": DAYS_BACK, "days": sorted(days), "most": most}
    rows = (await tx.execute(_BIRTHDAYS, parameters)).all()
    await _grant(tx, rows, kind="points.birthday", now=now)
    return len(rows)


async def _grant(tx: Tx, rows: Sequence[Any], *, kind: str, now: datetime) -> None:
    commands = [
        GrantPoints(
            request_id=follows_from(kind, row.member_id, *_year_of(row)),
            member_id=MemberId(row.member_id),
            store_id=StoreId(row.store_id),
            points=row.points,
            expires_at=points_expire_at(
                now, valid_months=row.points_valid_months, timezone=row.timezone
            ),
            now=now,
        )
        for row in rows
    ]
    for outcome in await grant_points(tx, commands) if commands else ():
        if isinstance(outcome, Fact):
            raise outcome


def _year_of(row: Any) -> tuple[int, ...]:
    return (row.year,) if hasattr(row, "year") else ()
