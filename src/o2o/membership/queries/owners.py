"""Whose transfers these are: the member and the brand, for those who name a transfer alone."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, MemberId


class TransferOwner(msgspec.Struct, frozen=True):
    """The member whose pocket a transfer touched."""

    member_id: MemberId
    brand_id: BrandId


class FirstAsked(msgspec.Struct, frozen=True):
    """When the books first heard of an intention, and in which store it was; None is no store."""

    at: datetime
    store_id: UUID | None


# Of a transfer between two members, the giver.
_OWNERS = text(
    "SELECT DISTINCT ON (t.id) t.id, a.owner_id, a.brand_id FROM ledger_transfers t"
    " JOIN ledger_accounts a ON a.id IN (t.from_account_id, t.to_account_id)"
    " AND a.balance IS NOT NULL"
    " WHERE t.id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY t.id, a.id <> t.from_account_id"
)
# What a system with a key set aside. Other holds, such as those behind an offer to another member,
# are ended by whoever made them.
_HOLDERS = text(
    "SELECT h.id, a.owner_id, a.brand_id FROM ledger_holds h"
    " JOIN ledger_transfers t ON t.id = h.id AND t.api_key_id IS NOT NULL"
    " JOIN ledger_accounts a ON a.id = h.account_id"
    " WHERE h.id = ANY(CAST(:ids AS uuid[]))"
)
_FIRST_ASKED = text(
    "SELECT DISTINCT ON (request_id) request_id, created_at, store_id FROM ledger_transfers"
    " WHERE request_id = ANY(CAST(:ids AS uuid[])) ORDER BY request_id, part"
)


async def list_transfer_owners(tx: Tx, transfer_ids: Collection[UUID]) -> dict[UUID, TransferOwner]:
    """Return whose these transfers are; unknown ids are left out."""
    rows = await tx.execute(_OWNERS, {"ids": sorted(transfer_ids)})
    return {row.id: TransferOwner(MemberId(row.owner_id), BrandId(row.brand_id)) for row in rows}


async def list_hold_owners(tx: Tx, hold_ids: Collection[UUID]) -> dict[UUID, TransferOwner]:
    """Return whose these holds are, of those that were made through a key."""
    rows = await tx.execute(_HOLDERS, {"ids": sorted(hold_ids)})
    return {row.id: TransferOwner(MemberId(row.owner_id), BrandId(row.brand_id)) for row in rows}


async def list_first_asked(tx: Tx, request_ids: Collection[UUID]) -> dict[UUID, FirstAsked]:
    """Return how the books first heard of these intentions; unheard ones are left out."""
    rows = await tx.execute(_FIRST_ASKED, {"ids": sorted(request_ids)})
    return {row.request_id: FirstAsked(row.created_at, row.store_id) for row in rows}
