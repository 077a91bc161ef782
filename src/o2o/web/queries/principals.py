"""Reading who is behind a session, a pad cookie or an API key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Audience, StaffRoleName
from o2o.infra.database import Tx
from o2o.infra.direct import Row, fetch_rows
from o2o.web.cookies import IDLE
from o2o.web.principals import APIClient, BrandFace, Clerk, ConsoleStaff, Diner

P = TypeVar("P")


class Seen(msgspec.Struct, Generic[P], frozen=True):
    """Somebody with a live session, and when it was last noted as in use."""

    principal: P
    last_seen_at: datetime


class EnrolledPad(msgspec.Struct, frozen=True):
    """A browser that a store enrolled."""

    pad_id: UUID
    name: str
    store_id: UUID
    store_name: str
    brand_id: UUID


_OF_TOKENS = "s.token_hash = ANY(CAST(:token_hashes AS bytea[]))"
_LIVE = "s.ended_at IS NULL AND s.expires_at > :now AND s.last_seen_at > :seen_after"
_BRAND = "b.slug AS brand_slug, b.name AS brand_name, b.name_en AS brand_name_en, b.terms_version"
_PAD = text(
    "SELECT p.id, p.name, s.id, s.name, s.brand_id FROM pads p JOIN stores s ON s.id = p.store_id"
    " WHERE p.secret_hash = :secret_hash AND p.revoked_at IS NULL"
)
_DINERS = text(
    "SELECT s.token_hash, s.is_snapshot, s.last_seen_at, f.id AS fan_id, f.openid, f.account_id,"  # noqa: S608 - our own pieces
    f" f.member_id, a.slug AS account_slug, a.name AS account_name, a.brand_id, {_BRAND}"
    " FROM web_sessions s JOIN fans f ON f.id = s.fan_id"
    " JOIN official_accounts a ON a.id = f.account_id JOIN brands b ON b.id = a.brand_id"
    f" WHERE {_OF_TOKENS} AND s.audience = 'diner' AND {_LIVE}"
)
_CONSOLE_STAFF = text(
    "SELECT s.token_hash, s.last_seen_at, p.id AS staff_id, p.name, p.brand_id, r.role,"  # noqa: S608 - our own pieces
    f" r.store_id, {_BRAND}"
    " FROM web_sessions s JOIN staff_members p ON p.id = s.staff_id AND p.disabled_at IS NULL"
    " JOIN brands b ON b.id = p.brand_id LEFT JOIN staff_roles r ON r.staff_id = p.id"
    f" WHERE {_OF_TOKENS} AND s.audience = 'console' AND {_LIVE}"
)
_CLERK = text(
    "SELECT s.last_seen_at, p.id AS staff_id, p.name, p.brand_id, r.role, r.store_id"  # noqa: S608 - our own pieces
    " FROM web_sessions s JOIN staff_members p ON p.id = s.staff_id AND p.disabled_at IS NULL"
    " LEFT JOIN staff_roles r ON r.staff_id = p.id"
    f" WHERE s.token_hash = :token_hash AND s.audience = 'pad' AND s.pad_id = :pad_id AND {_LIVE}"
)
_API_CLIENTS = text(
    "SELECT key_hash, id, name, brand_id, scopes, unattended_debit_fen_max FROM api_keys"
    " WHERE key_hash = ANY(CAST(:key_hashes AS bytea[])) AND revoked_at IS NULL"
)


async def find_pad(tx: Tx, secret_hash: bytes) -> EnrolledPad | None:
    """Return the pad of that secret unless it was revoked."""
    rows = await fetch_rows(tx, _PAD, {"secret_hash": secret_hash})
    return EnrolledPad(*rows[0]) if rows else None


async def list_diners(
    tx: Tx, token_hashes: Sequence[bytes], *, now: datetime
) -> list[Seen[Diner] | None]:
    """Return the diner of each session in turn, None where none lives."""
    asked = _alive(token_hashes, Audience.DINER, now=now)
    rows = await fetch_rows(tx, _DINERS, asked)
    diners = {row.token_hash: _diner(row) for row in rows}
    return [diners.get(token_hash) for token_hash in token_hashes]


def _alive(
    token_hashes: Sequence[bytes], audience: Audience, *, now: datetime
) -> dict[str, object]:
    return {
        "token_hashes": set(token_hashes),
        "now": now,
        "seen_after": now - IDLE[audience],
    }


def _diner(row: Row) -> Seen[Diner]:
    diner = Diner(
        fan_id=row.fan_id,
        openid=row.openid,
        account_id=row.account_id,
        account_slug=row.account_slug,
        account_name=row.account_name,
        brand_id=row.brand_id,
        brand=BrandFace(row.brand_slug, row.brand_name, row.brand_name_en, row.terms_version),
        member_id=row.member_id,
        is_snapshot=row.is_snapshot,
        session_hash=row.token_hash,
    )
    return Seen(diner, row.last_seen_at)


async def find_clerk(
    tx: Tx, token_hash: bytes, *, pad: EnrolledPad, now: datetime
) -> Seen[Clerk] | None:
    """Return the clerk of a session on this pad, with the roles he has in its store now."""
    seen_after = now - IDLE[Audience.PAD]
    asked = {"token_hash": token_hash, "pad_id": pad.pad_id, "now": now, "seen_after": seen_after}
    rows = await fetch_rows(tx, _CLERK, asked)
    here = {
        role for role, stores in _roles(rows).items() if stores is None or pad.store_id in stores
    }
    if not here or rows[0].brand_id != pad.brand_id:
        return None
    clerk = Clerk(
        staff_id=rows[0].staff_id,
        name=rows[0].name,
        roles=frozenset(here),
        pad_id=pad.pad_id,
        store_id=pad.store_id,
        store_name=pad.store_name,
        brand_id=pad.brand_id,
        session_hash=token_hash,
    )
    return Seen(clerk, rows[0].last_seen_at)


async def list_console_staff(
    tx: Tx, token_hashes: Sequence[bytes], *, now: datetime
) -> list[Seen[ConsoleStaff] | None]:
    """Return the person of each session in turn, with the roles of this moment."""
    asked = _alive(token_hashes, Audience.CONSOLE, now=now)
    rows = await fetch_rows(tx, _CONSOLE_STAFF, asked)
    of_session: dict[bytes, list[Row]] = {}
    for row in rows:
        of_session.setdefault(row.token_hash, []).append(row)
    people = {token_hash: _console_staff(same) for token_hash, same in of_session.items()}
    return [people.get(token_hash) for token_hash in token_hashes]


def _console_staff(rows: Sequence[Row]) -> Seen[ConsoleStaff]:
    first = rows[0]
    person = ConsoleStaff(
        staff_id=first.staff_id,
        name=first.name,
        brand_id=first.brand_id,
        brand=BrandFace(
            first.brand_slug, first.brand_name, first.brand_name_en, first.terms_version
        ),
        roles=_roles(rows),
        session_hash=first.token_hash,
    )
    return Seen(person, first.last_seen_at)


def _roles(rows: Sequence[Row]) -> dict[StaffRoleName, frozenset[UUID] | None]:
    """Gather the roles of one person; None is all stores."""
    roles: dict[StaffRoleName, frozenset[UUID] | None] = {}
    for row in rows:
        # Somebody without a role comes as one row without one.
        if row.role is None:
            continue
        role = StaffRoleName(row.role)
        covered = roles.get(role, frozenset())
        if row.store_id is None or covered is None:
            roles[role] = None
        else:
            roles[role] = covered | {row.store_id}
    return roles


async def list_api_clients(tx: Tx, key_hashes: Sequence[bytes]) -> list[APIClient | None]:
    """Return the client of each key in turn, None for unknown or revoked ones."""
    rows = await fetch_rows(tx, _API_CLIENTS, {"key_hashes": set(key_hashes)})
    clients = {
        row.key_hash: APIClient(
            key_id=row.id,
            name=row.name,
            brand_id=row.brand_id,
            scopes=frozenset(row.scopes),
            unattended_debit_fen_max=row.unattended_debit_fen_max,
        )
        for row in rows
    }
    return [clients.get(key_hash) for key_hash in key_hashes]
