"""Set-based reads for the counter: stores, members, codes, visits, and the locks on members."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import VisitVia
from o2o.infra.database import Tx
from o2o.membership.queries.identity import list_survivors


class StoreFacts(msgspec.Struct, frozen=True):
    """What the counter needs of a store. Coordinates are GCJ-02 degrees."""

    store_id: UUID
    brand_id: UUID
    name: str
    latitude: float
    longitude: float
    timezone: str
    # As stores keep them, see `crm.organisation`.
    hours: dict[str, Any]


class MemberFacts(msgspec.Struct, frozen=True):
    """What the counter needs of a member who may act."""

    member_id: UUID
    brand_id: UUID
    # A verified phone and a real name: the higher prepaid limit.
    is_named: bool


class CodeOwner(msgspec.Struct, frozen=True):
    """Whose code it is."""

    member_id: UUID
    brand_id: UUID


class CodeFate(msgspec.Struct, frozen=True):
    """Why a code cannot be used; `used_at` is None when its time is over."""

    used_at: datetime | None
    store_name: str | None
    timezone: str | None


class LastSeen(msgspec.Struct, frozen=True):
    """Where a member was served last."""

    store_id: UUID
    opened_at: datetime


class VisitFacts(msgspec.Struct, frozen=True):
    """A visit as the charge sees it."""

    visit_id: UUID
    member_id: UUID
    store_id: UUID
    pad_id: UUID | None
    api_key_id: UUID | None
    expires_at: datetime
    closed_at: datetime | None
    is_held: bool
    via: VisitVia


_STORES = text(
    "SELECT id, brand_id, name, latitude, longitude, timezone, hours FROM stores"
    " WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_MEMBERS = text(
    "SELECT id, brand_id, name IS NOT NULL AND phone_verified_at IS NOT NULL AS is_named"
    " FROM members WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'active'"
)
# The one a member calls the own, else the brand's oldest.
_OWN_STORES = text(
    "SELECT m.id, s.id AS store_id FROM members m JOIN LATERAL (SELECT s.id FROM stores s"
    " WHERE s.brand_id = m.brand_id ORDER BY (s.id = m.home_store_id) DESC NULLS LAST,"
    " s.created_at, s.id LIMIT 1) s ON true WHERE m.id = ANY(CAST(:ids AS uuid[]))"
)
# Waits for a merge that is under way and then leaves out who went into somebody else.
_HELD_MEMBERS = text(f"{_MEMBERS.text} ORDER BY id FOR KEY SHARE")
# In the order of ids, which is one order for everybody. Foreign keys to members still pass.
_LOCK_MEMBERS = text(
    "SELECT id FROM members WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"
)
_LOCK_PADS = text(
    "SELECT id FROM pads WHERE id = ANY(CAST(:ids AS uuid[])) AND revoked_at IS NULL"
    " ORDER BY id FOR NO KEY UPDATE"
)
_CODE_OWNERS = text(
    "SELECT c.code_hash, c.member_id, c.brand_id FROM member_codes c"
    " JOIN members m ON m.id = c.member_id AND m.status = 'active'"
    " WHERE c.code_hash = ANY(CAST(:hashes AS bytea[]))"
)
_CODE_FATES = text(
    "SELECT c.code_hash, c.used_at, s.name, s.timezone FROM member_codes c"
    " LEFT JOIN stores s ON s.id = c.used_in_store_id"
    " WHERE c.code_hash = ANY(CAST(:hashes AS bytea[]))"
)
_LAST_SEEN = text(
    "SELECT DISTINCT ON (member_id) member_id, store_id, opened_at FROM counter_visits"
    " WHERE member_id = ANY(CAST(:ids AS uuid[])) AND opened_at > :since"
    " AND (held_at IS NULL OR confirmed_at IS NOT NULL)"
    " ORDER BY member_id, opened_at DESC"
)
_VISITS = text(
    "SELECT id, member_id, store_id, pad_id, api_key_id, expires_at, closed_at,"
    " held_at IS NOT NULL AND confirmed_at IS NULL AS is_held, via"
    " FROM counter_visits WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_DONE = text(
    "SELECT DISTINCT request_id FROM ledger_transfers WHERE request_id = ANY(CAST(:ids AS uuid[]))"
)


async def _rows(tx: Tx, statement: Any, ids: set[UUID]) -> Sequence[Any]:
    return (await tx.execute(statement, {"ids": list(ids)})).all() if ids else ()


async def list_store_facts(tx: Tx, store_ids: set[UUID]) -> dict[UUID, StoreFacts]:
    """Return these stores; unknown ids are left out."""
    return {row.id: StoreFacts(*row) for row in await _rows(tx, _STORES, store_ids)}


async def list_member_facts(
    tx: Tx, member_ids: set[UUID], *, is_held: bool = False
) -> dict[UUID, MemberFacts]:
    """Return these members; unknown and deleted ones, and those who became another, are left out.

    Held, they become nobody else until the transaction ends.
    """
    rows = await _rows(tx, _HELD_MEMBERS if is_held else _MEMBERS, member_ids)
    return {row.id: MemberFacts(*row) for row in rows}


async def list_merged_facts(tx: Tx, member_ids: set[UUID]) -> dict[UUID, MemberFacts]:
    """Return who each of these became one with; those who did not are left out."""
    survivors = await list_survivors(tx, member_ids)
    facts = await list_member_facts(tx, set(survivors.values()))
    return {asked: facts[found] for asked, found in survivors.items() if found in facts}


async def list_own_stores(tx: Tx, member_ids: set[UUID]) -> dict[UUID, UUID]:
    """Return the store that stands for what happens to a member in none; of a brand with one."""
    return {row.id: row.store_id for row in await _rows(tx, _OWN_STORES, member_ids)}


async def lock_members(tx: Tx, member_ids: set[UUID]) -> None:
    """Let one transaction at a time open visits or issue codes for these members."""
    await _rows(tx, _LOCK_MEMBERS, member_ids)


async def lock_pads(tx: Tx, pad_ids: set[UUID]) -> set[UUID]:
    """Let one transaction at a time open visits at these pads; return those in use."""
    return {row.id for row in await _rows(tx, _LOCK_PADS, pad_ids)}


async def list_code_owners(tx: Tx, hashes: set[bytes]) -> dict[bytes, CodeOwner]:
    """Return whose codes these are, dead or alive."""
    rows = await tx.execute(_CODE_OWNERS, {"hashes": sorted(hashes)})
    return {bytes(row.code_hash): CodeOwner(row.member_id, row.brand_id) for row in rows}


async def list_code_fates(tx: Tx, hashes: set[bytes]) -> dict[bytes, CodeFate]:
    """Return what became of these codes, as of now and not of when the transaction began."""
    rows = await tx.execute(_CODE_FATES, {"hashes": sorted(hashes)})
    return {bytes(row.code_hash): CodeFate(row.used_at, row.name, row.timezone) for row in rows}


async def list_last_seen(tx: Tx, member_ids: set[UUID], *, since: datetime) -> dict[UUID, LastSeen]:
    """Return where each member was served last, unless that was doubted and not confirmed."""
    rows = await tx.execute(_LAST_SEEN, {"ids": sorted(member_ids), "since": since})
    return {row.member_id: LastSeen(row.store_id, row.opened_at) for row in rows}


async def list_visits(tx: Tx, visit_ids: set[UUID]) -> dict[UUID, VisitFacts]:
    """Return these visits; unknown ids are left out."""
    rows = await _rows(tx, _VISITS, visit_ids)
    return {
        row.id: VisitFacts(
            visit_id=row.id,
            member_id=row.member_id,
            store_id=row.store_id,
            pad_id=row.pad_id,
            api_key_id=row.api_key_id,
            expires_at=row.expires_at,
            closed_at=row.closed_at,
            is_held=row.is_held,
            via=VisitVia(row.via),
        )
        for row in rows
    }


async def list_done_requests(tx: Tx, request_ids: set[UUID]) -> set[UUID]:
    """Return which of these intentions the books know already."""
    return {row.request_id for row in await _rows(tx, _DONE, request_ids)}
