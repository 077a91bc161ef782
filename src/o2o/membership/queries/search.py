"""Finding members of a brand by name, phone, card or tag, page by page, among a million.

Every way has an index of its own and reads little more than the page it returns; see the
migrations of the dossier and of the name search for them. Nothing is counted.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
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
    joined_at: datetime | None = None
    # Of names: from which letter on they were found, counted from 0, and what begins there.
    letter: int = 0
    words: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")] = ""


# What means something to LIKE, and the same meaning itself.
_LITERAL = re.compile(r"[\\%_]")
_AS_IT_IS = r"\\\g<0>"
_TAGGED = (
    " AND (CAST(:tag AS text) IS NULL OR EXISTS (SELECT 1 FROM member_tags g"
    " WHERE g.member_id = m.id AND g.tag = :tag))"
)
_LATEST = text(
    "SELECT m.id, m.joined_at FROM members m"
    " WHERE m.brand_id = :brand_id AND m.status = 'active'"
    " AND (m.joined_at, m.id) < (:joined_at, :after_id)"
    " ORDER BY m.joined_at DESC, m.id DESC LIMIT :most"
)
_BY_TAG = text(
    "SELECT m.id, m.joined_at FROM member_tags g JOIN members m ON m.id = g.member_id"
    " AND m.status = 'active' WHERE g.brand_id = :brand_id AND g.tag = :tag"
    " AND g.member_id < :after_id ORDER BY g.member_id DESC LIMIT :most"
)
# Whoever is found at an earlier letter is not found again. A page goes on at `:low`.
_NAME_FROM = (
    "SELECT m.id, {words} AS words FROM members m"  # noqa: S608 - our own pieces
    " WHERE m.brand_id = :brand_id AND m.status = 'active'"
    " AND {words} LIKE lower(:beginning) AND {words} ~>=~ :low"
    " AND position(lower(:value) IN lower(m.name)) = {letter} + 1" + _TAGGED + " AND"
    " (CAST(:after_id AS uuid) IS NULL OR {words} ~>~ :low OR m.id > :after_id)"
    " ORDER BY {words} USING ~<~, m.id LIMIT :most"
)
_NAME_STARTS = text(_NAME_FROM.format(words="lower(m.name)", letter=0))
_GIVEN_NAME_STARTS = text(_NAME_FROM.format(words="lower(substr(m.name, 2))", letter=1))
# Few names are as long, and fewer hold the same pairs.
_NAME_HOLDS = text(
    "SELECT m.id, '' AS words FROM members m"  # noqa: S608 - our own pieces
    " WHERE m.brand_id = :brand_id AND m.status = 'active' AND char_length(m.name) > 3"
    " AND letter_pairs(m.name) @> letter_pairs(:value)"
    " AND position(lower(:value) IN lower(m.name)) > 2" + _TAGGED + " AND"
    " (CAST(:after_id AS uuid) IS NULL OR m.id > :after_id) ORDER BY m.id LIMIT :most"
)
_BY_LETTER = (_NAME_STARTS, _GIVEN_NAME_STARTS, _NAME_HOLDS)
_NUMBER = text(
    "SELECT m.id, m.joined_at FROM ("  # noqa: S608 - our own pieces
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
    "SELECT m.id, m.joined_at FROM offline_cards o"  # noqa: S608 - our own pieces
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

    Names that begin with it come first, then given names, then longer names that hold it; numbers
    and tags come by age of the card, nothing at all the latest first. Raises PlaceUnknown.
    """
    after = read_place(place, _Place) if place else None
    # Of numbers the tag and the state are asked for after they were found.
    common = {"brand_id": brand_id, "most": limit + 1}
    if search.kind in {SearchKind.NAME, SearchKind.NAME_START}:
        found = await _list_named(tx, search, common | {"tag": tag}, after=after)
    else:
        statement, values = _asked(search, tag=tag, after=after)
        rows = await fetch_rows(tx, statement, common | values)
        found = [_Place(row.id, joined_at=row.joined_at) for row in rows]
    return FoundPage(
        members=await _shown(tx, [one.member_id for one in found[:limit]]),
        next_place=write_place(found[limit - 1]) if len(found) > limit else None,
    )


async def _list_named(
    tx: Tx, search: Search, common: dict[str, Any], *, after: _Place | None
) -> list[_Place]:
    """Return those whose name holds the words, as many as fill the page, from the place on."""
    most = common["most"]
    letters = range(len(_BY_LETTER) if search.kind is SearchKind.NAME else 1)
    values = common | {
        "value": search.value,
        "beginning": f"{_LITERAL.sub(_AS_IT_IS, search.value)}%",
    }
    found: list[_Place] = []
    for letter in letters[after.letter if after else 0 :]:
        start = after if after and after.letter == letter else None
        values |= {
            "low": start.words if start else "",
            "after_id": start.member_id if start else None,
            "most": most - len(found),
        }
        rows = await fetch_rows(tx, _BY_LETTER[letter], values)
        found += [_Place(row.id, letter=letter, words=row.words) for row in rows]
        if len(found) >= most:
            break
    return found


def _asked(search: Search, *, tag: str | None, after: _Place | None) -> tuple[Any, dict[str, Any]]:
    """Return the statement that answers a search for no name, and what it is given."""
    if search.kind is SearchKind.LATEST and tag is not None:
        return _BY_TAG, {"tag": tag, "after_id": after.member_id if after else _LAST_ID}
    if search.kind is SearchKind.LATEST:
        joined_at = after.joined_at if after else None
        return _LATEST, {
            "joined_at": joined_at or _NEVER,
            "after_id": after.member_id if after else _LAST_ID,
        }
    values: dict[str, Any] = {"value": search.value, "tag": tag}
    values |= {"after_id": after.member_id if after else _FIRST_ID}
    if search.kind is SearchKind.CARD:
        return _CARD, values
    low = search.value[::-1]
    return _NUMBER, values | {"low": low, "high": end_of_prefix(low), "many": 1_000}


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
