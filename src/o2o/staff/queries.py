"""Reads of staff, their roles, pads and keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.organisation import Store
from o2o.crm.staff import APIKey, Pad, StaffMember, StaffRole
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.infra.seal import Seal
from o2o.staff.errors import PadNotFound, StaffNotFound
from o2o.web.principals import APIClient
from o2o.web.queries.principals import list_api_clients

# Role → stores it covers; None covers every store of the brand.
RolesOf = dict[StaffRoleName, frozenset[UUID] | None]


class PadView(msgspec.Struct, frozen=True, kw_only=True):
    """A pad as a manager sees it."""

    pad_id: UUID
    name: str
    store_id: UUID
    store_name: str
    enrolled_at: datetime
    revoked_at: datetime | None


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member as a manager sees it."""

    staff_id: UUID
    login: str
    name: str
    brand_id: UUID
    is_disabled: bool
    is_pin_locked: bool
    roles: RolesOf


async def get_staff(tx: Tx, staff_id: UUID) -> StaffMember:
    """Return a staff member. Raises StaffNotFound."""
    staff: StaffMember | None = await tx.scalar(
        select(StaffMember).where(StaffMember.id == staff_id)
    )
    if staff is None:
        raise StaffNotFound
    return staff


async def find_staff_by_login(tx: Tx, login: str) -> StaffMember | None:
    """Return the staff member of a folded login."""
    staff: StaffMember | None = await tx.scalar(
        select(StaffMember).where(StaffMember.login == login)
    )
    return staff


async def list_roles(tx: Tx, staff_ids: Sequence[UUID]) -> dict[UUID, RolesOf]:
    """Return what each of these people may do where, as of now."""
    found: dict[UUID, RolesOf] = {staff_id: {} for staff_id in staff_ids}
    rows = await tx.execute(
        select(StaffRole.staff_id, StaffRole.role, StaffRole.store_id).where(
            StaffRole.staff_id.in_(found)
        )
    )
    for row in rows:
        roles = found[row.staff_id]
        covered = roles.get(row.role, frozenset())
        if row.store_id is None or covered is None:
            roles[row.role] = None
        else:
            roles[row.role] = covered | {row.store_id}
    return found


_BRAND_OF = text(
    "SELECT p.brand_id FROM staff_members p WHERE p.id = :staff_id AND p.disabled_at IS NULL"
    " AND EXISTS (SELECT 1 FROM staff_roles r"
    " WHERE r.staff_id = p.id AND r.role = ANY(CAST(:roles AS text[])))"
)
_HAS_ROLE = text(
    "SELECT a.staff_id, a.store_id FROM unnest("
    " CAST(:staff_ids AS uuid[]), CAST(:store_ids AS uuid[])) AS a(staff_id, store_id)"
    " WHERE EXISTS (SELECT 1 FROM staff_members p"
    " JOIN stores s ON s.id = a.store_id AND s.brand_id = p.brand_id"
    " JOIN staff_roles r ON r.staff_id = p.id AND r.role = ANY(CAST(:roles AS text[]))"
    " AND (r.store_id IS NULL OR r.store_id = s.id)"
    " WHERE p.id = a.staff_id AND p.disabled_at IS NULL)"
)


async def find_brand_with_role(
    tx: Tx, staff_id: UUID, *, roles: Iterable[StaffRoleName]
) -> UUID | None:
    """Return the brand of a person who has one of the roles now, in whichever store."""
    rows = await fetch_rows(tx, _BRAND_OF, {"staff_id": staff_id, "roles": list(roles)})
    return rows[0].brand_id if rows else None


async def list_covered(
    tx: Tx, pairs: Sequence[tuple[UUID, UUID]], *, roles: Iterable[StaffRoleName]
) -> set[tuple[UUID, UUID]]:
    """Of these (staff, store) pairs, return those in which the person has one of the roles now."""
    if not pairs:
        return set()
    rows = await tx.execute(
        _HAS_ROLE,
        {
            "staff_ids": [staff_id for staff_id, _ in pairs],
            "store_ids": [store_id for _, store_id in pairs],
            "roles": sorted(role.value for role in roles),
        },
    )
    return {(row.staff_id, row.store_id) for row in rows}


async def exists_role(
    tx: Tx, *, staff_id: UUID, store_id: UUID, roles: Iterable[StaffRoleName]
) -> bool:
    """Whether the person is active and has one of the roles in this store of the own brand."""
    return bool(await list_covered(tx, [(staff_id, store_id)], roles=roles))


async def list_staff(tx: Tx, *, brand_id: UUID) -> list[StaffView]:
    """Return a brand's staff by login."""
    people = (
        await tx.scalars(
            select(StaffMember).where(StaffMember.brand_id == brand_id).order_by(StaffMember.login)
        )
    ).all()
    roles = await list_roles(tx, [person.id for person in people])
    return [
        StaffView(
            staff_id=person.id,
            login=person.login,
            name=person.name,
            brand_id=person.brand_id,
            is_disabled=person.disabled_at is not None,
            is_pin_locked=person.pin_locked_at is not None,
            roles=roles[person.id],
        )
        for person in people
    ]


async def get_pad_in_use(tx: Tx, pad_id: UUID) -> Pad:
    """Return a pad that was not revoked. Raises PadNotFound."""
    pad: Pad | None = await tx.scalar(select(Pad).where(Pad.id == pad_id, Pad.revoked_at.is_(None)))
    if pad is None:
        raise PadNotFound
    return pad


async def lock_pad(tx: Tx, pad_id: UUID) -> Pad:
    """Return a pad, locked until the transaction ends. Raises PadNotFound."""
    pad: Pad | None = await tx.scalar(select(Pad).where(Pad.id == pad_id).with_for_update())
    if pad is None:
        raise PadNotFound
    return pad


async def list_pads(tx: Tx, *, store_ids: Sequence[UUID]) -> list[PadView]:
    """Return the pads of these stores, the ones in use first."""
    rows = await tx.execute(
        select(Pad.id, Pad.name, Pad.store_id, Store.name, Pad.enrolled_at, Pad.revoked_at)
        .join(Store, Store.id == Pad.store_id)
        .where(Pad.store_id.in_(store_ids))
        .order_by(Pad.revoked_at.is_not(None), Store.name, Pad.enrolled_at, Pad.id)
        .limit(500)
    )
    return [
        PadView(
            pad_id=pad_id,
            name=name,
            store_id=store_id,
            store_name=store_name,
            enrolled_at=enrolled_at,
            revoked_at=revoked_at,
        )
        for pad_id, name, store_id, store_name, enrolled_at, revoked_at in rows
    ]


async def find_api_key(tx: Tx, *, seal: Seal, token: str) -> APIClient | None:
    """Return the client whose key this is, unless the key is unknown or revoked."""
    [client] = await list_api_clients(tx, [seal.hash_of(token, use="api_key")])
    return client


async def list_api_keys(tx: Tx, *, brand_id: UUID | None) -> Sequence[APIKey]:
    """Return the keys of a brand (of the group: None), newest first; their secrets are not kept."""
    of_brand = APIKey.brand_id == brand_id if brand_id else APIKey.brand_id.is_(None)
    keys = select(APIKey).where(of_brand).order_by(APIKey.created_at.desc(), APIKey.id).limit(500)
    return (await tx.scalars(keys)).all()


_GUESS_LOCKS = text(
    "SELECT key_hash, locked_until FROM guess_counts"
    " WHERE key_hash = ANY(CAST(:keys AS bytea[])) AND locked_until > :now"
)


async def list_guess_locks(
    tx: Tx, keys: Sequence[bytes], *, now: datetime
) -> dict[bytes, datetime]:
    """Return until when each locked one of these guessers must wait."""
    rows = await tx.execute(_GUESS_LOCKS, {"keys": sorted(set(keys)), "now": now})
    return {bytes(row.key_hash): row.locked_until for row in rows}
