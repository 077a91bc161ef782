"""Reading who is behind a session, a pad cookie or an API key."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from o2o.crm.members import Fan
from o2o.crm.organisation import OfficialAccount, Store
from o2o.crm.staff import APIKey, Pad, StaffMember, StaffRole
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.web.principals import APIClient, Clerk, ConsoleStaff, Diner
from o2o.web.queries.sessions import FoundSession


class EnrolledPad(msgspec.Struct, frozen=True):
    """A browser that a store enrolled."""

    pad_id: UUID
    name: str
    store_id: UUID
    store_name: str
    brand_id: UUID


async def find_pad(tx: Tx, secret_hash: bytes) -> EnrolledPad | None:
    """Return the pad of that secret unless it was revoked."""
    row = (
        await tx.execute(
            select(Pad.id, Pad.name, Store.id, Store.name, Store.brand_id)
            .join(Store, Store.id == Pad.store_id)
            .where(Pad.secret_hash == secret_hash, Pad.revoked_at.is_(None))
        )
    ).first()
    return EnrolledPad(*row) if row else None


async def get_diner(tx: Tx, session: FoundSession) -> Diner:
    """Return the diner of a session."""
    row = (
        await tx.execute(
            select(
                Fan.id,
                Fan.openid,
                Fan.account_id,
                Fan.member_id,
                OfficialAccount.slug,
                OfficialAccount.brand_id,
            )
            .join(OfficialAccount, OfficialAccount.id == Fan.account_id)
            .where(Fan.id == session.fan_id)
        )
    ).one()
    return Diner(
        fan_id=row.id,
        openid=row.openid,
        account_id=row.account_id,
        account_slug=row.slug,
        brand_id=row.brand_id,
        member_id=row.member_id,
        is_snapshot=session.is_snapshot,
        session_hash=session.token_hash,
    )


async def find_clerk(tx: Tx, session: FoundSession, *, pad: EnrolledPad) -> Clerk | None:
    """Return the clerk of a session on this pad, with the roles he has in its store now."""
    if session.pad_id != pad.pad_id or session.staff_id is None:
        return None
    staff = await _find_staff(tx, session.staff_id)
    if staff is None:
        return None
    here = {
        role for role, stores in staff.roles.items() if stores is None or pad.store_id in stores
    }
    if staff.brand_id != pad.brand_id or not here:
        return None
    return Clerk(
        staff_id=session.staff_id,
        name=staff.name,
        roles=frozenset(here),
        pad_id=pad.pad_id,
        store_id=pad.store_id,
        store_name=pad.store_name,
        brand_id=pad.brand_id,
        session_hash=session.token_hash,
    )


async def find_console_staff(tx: Tx, session: FoundSession) -> ConsoleStaff | None:
    """Return the person of a console session, with the roles of this moment."""
    staff = await _find_staff(tx, session.staff_id) if session.staff_id else None
    if session.staff_id is None or staff is None:
        return None
    return ConsoleStaff(
        staff_id=session.staff_id,
        name=staff.name,
        brand_id=staff.brand_id,
        roles=staff.roles,
        session_hash=session.token_hash,
    )


class _Staff(msgspec.Struct, frozen=True):
    name: str
    brand_id: UUID
    roles: dict[StaffRoleName, frozenset[UUID] | None]


async def _find_staff(tx: Tx, staff_id: UUID) -> _Staff | None:
    """Return somebody who is not disabled, with the roles of this moment; None is all stores."""
    rows = (
        await tx.execute(
            select(StaffMember.name, StaffMember.brand_id, StaffRole.role, StaffRole.store_id)
            .outerjoin(StaffRole, StaffRole.staff_id == StaffMember.id)
            .where(StaffMember.id == staff_id, StaffMember.disabled_at.is_(None))
        )
    ).all()
    if not rows:
        return None
    roles: dict[StaffRoleName, frozenset[UUID] | None] = {}
    for row in rows:
        # Somebody without a role comes as one row without one.
        if row.role is None:
            continue
        covered = roles.get(row.role, frozenset())
        if row.store_id is None or covered is None:
            roles[row.role] = None
        else:
            roles[row.role] = covered | {row.store_id}
    return _Staff(rows[0].name, rows[0].brand_id, roles)


async def list_api_clients(tx: Tx, key_hashes: Sequence[bytes]) -> list[APIClient | None]:
    """Return the client of each key in turn, None for unknown or revoked ones."""
    rows = await tx.execute(
        select(
            APIKey.key_hash,
            APIKey.id,
            APIKey.name,
            APIKey.brand_id,
            APIKey.scopes,
            APIKey.unattended_debit_fen_max,
        ).where(APIKey.key_hash.in_(set(key_hashes)), APIKey.revoked_at.is_(None))
    )
    clients = {
        bytes(row.key_hash): APIClient(
            key_id=row.id,
            name=row.name,
            brand_id=row.brand_id,
            scopes=frozenset(row.scopes),
            unattended_debit_fen_max=row.unattended_debit_fen_max,
        )
        for row in rows
    }
    return [clients.get(key_hash) for key_hash in key_hashes]
