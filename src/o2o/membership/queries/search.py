"""Finding members of a brand by name, phone, card or tag, page by page, among a million.

Every way has an index of its own and reads little more than the page it returns; see the
migration of the dossier for them. Nothing is counted.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.text import mask_phone
from o2o.membership.queries.places import read_place, write_place
from o2o.membership.rules.search import Search, SearchKind, end_of_prefix

PAGE = 20
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_FIRST_ID = UUID(int=0)
_LAST_ID = UUID(int=(1 << 128) - 1)


class FoundMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member on a list."""

    member_id: UUID
    name: str | None
    phone_masked: str | None
    card_no: str | None
    tier_name: str
    joined_at: datetime
    tags: list[str]


class FoundPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page and, where there are more, the place after it."""

    members: list[FoundMember]
    next_place: str | None


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    member_id: UUID
    name: str = ""
    joined_at: datetime | None = None


# What parameters are decides which index is best: plan for these, not for any.
_PLAN_FOR_THESE = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
_TAGGED = (
    " AND (CAST(:tag AS text) IS NULL OR EXISTS (SELECT 1 FROM member_tags g"
    " WHERE g.member_id = m.id AND g.tag = :tag))"
)
_AFTER_NAME = (
    " AND (CAST(:after_id AS uuid) IS NULL OR m.name ~>~ :after_name"
    " OR (m.name = :after_name AND m.id > :after_id))"
    " ORDER BY m.name USING ~<~, m.id LIMIT :most"
)
_LATEST = text(
    "SELECT m.id, m.name, m.joined_at FROM members m"
    " WHERE m.brand_id = :brand_id AND m.status = 'active'"
    " AND (m.joined_at, m.id) < (:joined_at, :after_id)"
    " ORDER BY m.joined_at DESC, m.id DESC LIMIT :most"
)
_BY_TAG = text(
    "SELECT m.id, m.name, m.joined_at FROM member_tags g JOIN members m ON m.id = g.member_id"
    " AND m.status = 'active' WHERE g.brand_id = :brand_id AND g.tag = :tag"
    " AND g.member_id < :after_id ORDER BY g.member_id DESC LIMIT :most"
)
_NAME_START = text(
    "SELECT m.id, m.name, m.joined_at FROM members m"  # noqa: S608 - our own pieces
    " WHERE m.brand_id = :brand_id AND m.status = 'active'"
    " AND m.name ~>=~ :low AND m.name ~<~ :high" + _TAGGED + _AFTER_NAME
)
_NAME = text(
    "SELECT m.id, m.name, m.joined_at FROM members m"  # noqa: S608 - our own pieces
    " WHERE m.brand_id = :brand_id AND m.status = 'active' AND m.name ~>=~ :low"
    " AND letter_pairs(m.name) @> letter_pairs(:value)"
    " AND position(lower(:value) IN lower(m.name)) > 0" + _TAGGED + _AFTER_NAME
)
_NUMBER = text(
    "SELECT m.id, m.name, m.joined_at FROM ("  # noqa: S608 - our own pieces
    " (SELECT p.id FROM members p WHERE p.brand_id = :brand_id AND p.id > :after_id"
    "  AND reverse(p.phone) ~>=~ :low AND reverse(p.phone) ~<~ :high ORDER BY p.id LIMIT :many)"
    " UNION (SELECT c.member_id FROM cards c WHERE c.brand_id = :brand_id"
    "  AND c.member_id > :after_id AND reverse(c.card_no) ~>=~ :low"
    "  AND reverse(c.card_no) ~<~ :high ORDER BY c.member_id LIMIT :many)"
    " UNION (SELECT o.member_id FROM offline_cards o WHERE o.brand_id = :brand_id"
    "  AND o.card_no = :value AND o.member_id > :after_id)"
    " UNION (SELECT i.member_id FROM member_identities i WHERE i.brand_id = :brand_id"
    "  AND i.kind = 'phone' AND i.value = :value AND i.member_id > :after_id)"
    ") f JOIN members m ON m.id = f.id AND m.status = 'active'"
    " WHERE true" + _TAGGED + " ORDER BY m.id LIMIT :most"
)
_CARD = text(
    "SELECT m.id, m.name, m.joined_at FROM offline_cards o"  # noqa: S608 - our own pieces
    " JOIN members m ON m.id = o.member_id"
    " AND m.status = 'active' WHERE o.brand_id = :brand_id AND o.card_no = :value"
    " AND m.id > :after_id" + _TAGGED + " ORDER BY m.id LIMIT :most"
)
_SHOWN = text(
    "SELECT m.id, m.name, m.phone, m.joined_at, t.name AS tier_name,"
    " (SELECT c.card_no FROM cards c WHERE c.member_id = m.id AND c.status = 'active') AS card_no,"
    " (SELECT array_agg(g.tag ORDER BY g.added_at, g.tag) FROM member_tags g"
    "  WHERE g.member_id = m.id) AS tags"
    " FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS f(id, number)"
    " JOIN members m ON m.id = f.id JOIN tiers t ON t.id = m.tier_id ORDER BY f.number"
)
_TAGS = text(
    "WITH RECURSIVE known AS ("
    " (SELECT tag FROM member_tags WHERE brand_id = :brand_id ORDER BY tag LIMIT 1)"
    " UNION ALL SELECT (SELECT g.tag FROM member_tags g WHERE g.brand_id = :brand_id"
    "  AND g.tag > k.tag ORDER BY g.tag LIMIT 1) FROM known k WHERE k.tag IS NOT NULL)"
    " SELECT tag FROM known WHERE tag IS NOT NULL LIMIT :most"
)


async def search_members(
    tx: Tx,
    search: Search,
    *,
    brand_id: UUID,
    tag: str | None = None,
    place: str | None = None,
    limit: int = PAGE,
) -> FoundPage:
    """Return a page of the brand's members that `search` means and that have the tag.

    Names come in order, numbers and tags by age of the card, nothing at all the latest first.
    Raises PlaceUnknown.
    """
    after = read_place(place, _Place) if place else None
    await fetch_rows(tx, _PLAN_FOR_THESE, {})
    statement, values = _asked(search, tag=tag, after=after)
    # Of numbers the tag and the state are asked for after they were found.
    common = {"brand_id": brand_id, "most": limit + 1}
    rows = await fetch_rows(tx, statement, common | values)
    members = await _shown(tx, [row.id for row in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    return FoundPage(
        members=members,
        next_place=None
        if last is None
        else write_place(_Place(last.id, name=last.name or "", joined_at=last.joined_at)),
    )


def _asked(search: Search, *, tag: str | None, after: _Place | None) -> tuple[Any, dict[str, Any]]:
    """Return the statement that answers a search, and what it is given."""
    if search.kind is SearchKind.LATEST and tag is not None:
        return _BY_TAG, {"tag": tag, "after_id": after.member_id if after else _LAST_ID}
    if search.kind is SearchKind.LATEST:
        joined_at = after.joined_at if after else None
        return _LATEST, {
            "joined_at": joined_at or _NEVER,
            "after_id": after.member_id if after else _LAST_ID,
        }
    if search.kind in {SearchKind.NAME, SearchKind.NAME_START}:
        return _asked_by_name(search, tag=tag, after=after)
    values: dict[str, Any] = {"value": search.value, "tag": tag}
    values |= {"after_id": after.member_id if after else _FIRST_ID}
    if search.kind is SearchKind.CARD:
        return _CARD, values
    low = search.value[::-1]
    return _NUMBER, values | {"low": low, "high": end_of_prefix(low), "many": 1_000}


def _asked_by_name(
    search: Search, *, tag: str | None, after: _Place | None
) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {
        "tag": tag,
        "after_id": after.member_id if after else None,
        "after_name": after.name if after else None,
        "low": after.name if after else "",
    }
    if search.kind is SearchKind.NAME:
        return _NAME, values | {"value": search.value}
    values["low"] = max(values["low"], search.value)
    return _NAME_START, values | {"high": end_of_prefix(search.value)}


async def _shown(tx: Tx, ids: Sequence[UUID]) -> list[FoundMember]:
    return [
        FoundMember(
            member_id=row.id,
            name=row.name,
            phone_masked=mask_phone(row.phone),
            card_no=row.card_no,
            tier_name=row.tier_name,
            joined_at=row.joined_at,
            tags=list(row.tags or ()),
        )
        for row in await fetch_rows(tx, _SHOWN, {"ids": list(ids)})
    ]


async def list_tags(tx: Tx, brand_id: UUID, *, limit: int = 100) -> list[str]:
    """List the brand's tags in order, each found by one step in the index."""
    rows = await fetch_rows(tx, _TAGS, {"brand_id": brand_id, "most": limit})
    return [str(row.tag) for row in rows]
