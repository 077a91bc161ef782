"""What hangs on a member and goes along when two become one: the one registry of such tables.

Every table with a foreign key to `members` stands here, in FOLLOWS or in STAYS; a test sees to it.
Each row that went along is noted, so that exactly it goes back.
"""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `table` whose `column` names the member; `key` tells one member's rows apart.

    With `unless_same`, a row stays behind where the survivor has one with the same key already.
    `unless` is a further condition for staying: rows that would tie the survivor to itself.
    """

    table: str
    column: str = "member_id"
    key: tuple[str, ...] = ("id",)
    unless_same: bool = False
    unless: str = ""

    @property
    def name(self) -> str:
        """Under which its moves are noted."""
        return f"{self.table}.{self.column}"

    @property
    def row_key(self) -> str:
        """The key as one text."""
        return "concat_ws('|', " + ", ".join(f"t.{column}" for column in self.key) + ")"

    def stays(self, into: str) -> str:
        """The condition under which a row may not go to the member `into`."""
        found = [f"AND NOT ({self.unless.format(into=into)})"] if self.unless else []
        if self.unless_same:
            same = " AND ".join(f"o.{column} = t.{column}" for column in self.key)
            found.append(
                f"AND NOT EXISTS (SELECT 1 FROM {self.table} o"  # noqa: S608 - names of ours
                f" WHERE o.{self.column} = {into} AND {same})"
            )
        return " ".join(found)


FOLLOWS: tuple[Follow, ...] = (
    Follow(table="fans"),
    Follow(table="member_identities"),
    Follow(table="offline_cards"),
    Follow(table="purchases"),
    # One waits once per store: where both do, the number of the merged one stays its own.
    Follow(
        table="tickets",
        unless=(
            "t.status IN ('waiting', 'called') AND EXISTS (SELECT 1 FROM tickets o"
            " WHERE o.member_id = {into} AND o.store_id = t.store_id"
            " AND o.status IN ('waiting', 'called'))"
        ),
    ),
    # One booking per store and time.
    Follow(
        table="bookings",
        unless=(
            "t.status IN ('booked', 'arrived') AND EXISTS (SELECT 1 FROM bookings o"
            " WHERE o.member_id = {into} AND o.store_id = t.store_id"
            " AND o.starts_at = t.starts_at AND o.status IN ('booked', 'arrived'))"
        ),
    ),
    Follow(table="member_notes"),
    Follow(table="member_tags", key=("tag",), unless_same=True),
    Follow(table="declared_tastes", key=("word",), unless_same=True),
    Follow(
        table="member_relations",
        key=("other_id", "kind"),
        unless_same=True,
        unless="t.other_id = {into} OR (t.kind = 'family' AND {into} > t.other_id)",
    ),
    Follow(
        table="member_relations",
        column="other_id",
        key=("member_id", "kind"),
        unless_same=True,
        # Nobody is brought by two people, and family is kept once, the lower id first.
        unless=(
            "t.member_id = {into} OR (t.kind = 'family' AND t.member_id > {into})"
            " OR (t.kind = 'brought' AND EXISTS (SELECT 1 FROM member_relations b"
            " WHERE b.other_id = {into} AND b.kind = 'brought'))"
        ),
    ),
    # Else the year's gift would come twice.
    Follow(table="birthday_gifts", key=("year",), unless_same=True),
    # Its top-up is on the survivor's card now; left behind, nobody could pay it or take it back.
    Follow(table="refund_requests"),
    Follow(table="pass_on_offers", column="from_member_id", unless="t.to_member_id = {into}"),
    Follow(table="pass_on_offers", column="to_member_id", unless="t.from_member_id = {into}"),
)
# What stays with the old id, each with its reason.
STAYS: dict[str, str] = {
    "members": "the way to the survivor itself",
    "cards": "a number is one member's for ever; the merged one's is replaced",
    "consents": "a yes is a person's own; the stricter holds (merge_profiles)",
    "member_codes": "killed",
    "counter_visits": "closed; history is kept where it happened",
    "member_merges": "tells of the merge itself",
    "tier_moves": "history is kept where it happened",
    "adjustments": "money of the books is kept where it happened",
    "points_earnings": "money of the books is kept where it happened",
    "points_reminders": "about lots that are gone from there",
    "charge_answers": "answers of requests that are over",
    "data_exports": "a copy of that member's data, gone within days",
}


def _move(follow: Follow) -> str:
    return (
        f"WITH moved AS (UPDATE {follow.table} t SET {follow.column} = :into"  # noqa: S608 - names of ours
        f" WHERE t.{follow.column} = :from {follow.stays(':into')}"
        f" RETURNING {follow.row_key} AS row_key)"
        " INSERT INTO member_merge_moves (merge_id, table_name, row_key)"
        " SELECT CAST(:merge_id AS uuid), CAST(:name AS text), row_key FROM moved"
    )


def _move_back(follow: Follow) -> str:
    return (
        f"UPDATE {follow.table} t SET {follow.column} = :from FROM member_merge_moves v"  # noqa: S608 - names of ours
        " WHERE v.merge_id = :merge_id AND v.table_name = :name"
        f" AND v.row_key = {follow.row_key} AND t.{follow.column} = :into"
        f" {follow.stays(':from')}"
    )


_MOVES = [(follow.name, text(_move(follow)), text(_move_back(follow))) for follow in FOLLOWS]


async def move_rows(tx: Tx, *, merge_id: UUID, from_member_id: UUID, into_member_id: UUID) -> None:
    """Let everything in FOLLOWS go to the survivor, and note which rows went."""
    values = {"merge_id": merge_id, "from": from_member_id, "into": into_member_id}
    for name, forth, _ in _MOVES:
        await tx.execute(forth, values | {"name": name})


async def move_rows_back(
    tx: Tx, *, merge_id: UUID, from_member_id: UUID, into_member_id: UUID
) -> None:
    """Let the rows that a merge moved go back, unless they have gone elsewhere since."""
    values = {"merge_id": merge_id, "from": from_member_id, "into": into_member_id}
    for name, _, back in _MOVES:
        await tx.execute(back, values | {"name": name})
