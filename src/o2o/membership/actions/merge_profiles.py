"""What the survivor of a merge is like afterwards, and how that is taken back.

Before and after are kept with the merge: undoing sets back only what nobody has changed since.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import ConsentPurpose
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.membership.rules.merging import MarketingAnswer, wants_marketing


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge may change of a member."""

    name: str | None
    phone: str | None
    phone_verified_at: datetime | None
    birthday: date | None
    tier_id: UUID
    tier_valid_until: datetime | None
    home_store_id: UUID | None
    profiling_refused_at: datetime | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge changed beside moving rows."""

    before: Profile
    after: Profile
    # Numbers by which the survivor was known and no longer is.
    phones_dropped: list[str]
    cards_replaced: list[UUID]
    consents_given: list[UUID]
    consents_withdrawn: list[UUID]


_PROFILES = text(
    "SELECT m.id, m.name, m.phone, m.phone_verified_at, m.birthday, m.tier_id, m.tier_valid_until,"
    " m.home_store_id, m.profiling_refused_at, t.rank FROM members m"
    " JOIN tiers t ON t.id = m.tier_id WHERE m.id IN (:one, :other)"
)
_SET = text(
    "UPDATE members SET name = :name, phone = :phone, phone_verified_at = :phone_verified_at,"
    " birthday = :birthday, tier_id = :tier_id, tier_valid_until = :tier_valid_until,"
    " home_store_id = :home_store_id, profiling_refused_at = :profiling_refused_at WHERE id = :id"
)
_DROP_PHONES = text(
    "DELETE FROM member_identities WHERE member_id = :id AND kind = 'phone' AND value <> :phone"
    " RETURNING value"
)
_ADD_PHONE = text(
    "INSERT INTO member_identities (id, brand_id, member_id, kind, value, created_at)"
    " SELECT CAST(:new_id AS uuid), brand_id, id, 'phone', CAST(:phone AS text),"
    " CAST(:now AS timestamptz) FROM members WHERE id = :id"
    " ON CONFLICT DO NOTHING"
)
_CONSENTS = text(
    "SELECT id, member_id, purpose, terms_version, withdrawn_at FROM consents"
    " WHERE member_id IN (:one, :other) ORDER BY given_at, id"
)
_BOUND = text("SELECT DISTINCT member_id FROM fans WHERE member_id IN (:one, :other)")
_WITHDRAW = text(
    "UPDATE consents SET withdrawn_at = :now WHERE member_id = :id AND purpose = 'marketing'"
    " AND withdrawn_at IS NULL RETURNING id"
)
_GIVE = text(
    "INSERT INTO consents (id, member_id, purpose, terms_version, given_at)"
    " VALUES (:new_id, :id, :purpose, :terms_version, :now) ON CONFLICT DO NOTHING RETURNING id"
)
_TAKE_BACK = text(
    "UPDATE consents SET withdrawn_at = :now"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND withdrawn_at IS NULL"
)
_RESTORE = text(
    "UPDATE consents c SET withdrawn_at = NULL WHERE id = ANY(CAST(:ids AS uuid[]))"
    " AND withdrawn_at = :merged_at AND NOT EXISTS (SELECT 1 FROM consents o"
    " WHERE o.member_id = c.member_id AND o.purpose = c.purpose AND o.withdrawn_at IS NULL)"
)


async def read_profiles(tx: Tx, one: UUID, other: UUID) -> dict[UUID, tuple[Profile, int]]:
    """Return both members' profiles with the ranks of their tiers."""
    rows = (await tx.execute(_PROFILES, {"one": one, "other": other})).all()
    return {
        row.id: (
            Profile(**{name: getattr(row, name) for name in Profile.__struct_fields__}),
            row.rank,
        )
        for row in rows
    }


def merged_profile(
    kept: tuple[Profile, int],
    joining: tuple[Profile, int],
    *,
    proved_phone: str | None,
    now: datetime,
) -> Profile:
    """Decide what the survivor is like: what it said itself first, then what the other said.

    The phone that was proved for the merge is the one in force; the higher tier stays; who refused
    profiling has refused it.
    """
    own, rank = kept
    other, other_rank = joining
    phone, verified_at = _phone(own, other, proved_phone=proved_phone, now=now)
    higher = other if other_rank > rank else own
    return Profile(
        name=own.name or other.name,
        phone=phone,
        phone_verified_at=verified_at,
        birthday=own.birthday or other.birthday,
        tier_id=higher.tier_id,
        tier_valid_until=higher.tier_valid_until,
        home_store_id=own.home_store_id or other.home_store_id,
        profiling_refused_at=own.profiling_refused_at or other.profiling_refused_at,
    )


def _phone(
    own: Profile, other: Profile, *, proved_phone: str | None, now: datetime
) -> tuple[str | None, datetime | None]:
    if proved_phone is not None:
        return proved_phone, now
    for profile in (own, other):
        if profile.phone_verified_at is not None:
            return profile.phone, profile.phone_verified_at
    return own.phone or other.phone, None


async def write_profile(tx: Tx, member_id: UUID, profile: Profile) -> None:
    """Set what a merge may change."""
    values = {name: getattr(profile, name) for name in Profile.__struct_fields__}
    await tx.execute(_SET, values | {"id": member_id})


async def drop_phones(tx: Tx, member_id: UUID, *, keep: str) -> list[str]:
    """Let a member be known by no number but `keep`; return those it was known by."""
    return list(await tx.scalars(_DROP_PHONES, {"id": member_id, "phone": keep}))


async def add_phone(tx: Tx, member_id: UUID, phone: str, *, now: datetime) -> None:
    """Let a member be known by a number that is nobody's."""
    await tx.execute(_ADD_PHONE, {"new_id": new_id(), "id": member_id, "phone": phone, "now": now})


def restored_profile(now_is: Profile, *, snapshot: Snapshot) -> Profile:
    """Return the survivor as before the merge, but for what was changed since."""
    before: Mapping[str, Any] = msgspec.structs.asdict(snapshot.before)
    after: Mapping[str, Any] = msgspec.structs.asdict(snapshot.after)
    current: Mapping[str, Any] = msgspec.structs.asdict(now_is)
    fields = {
        name: before[name] if current[name] == after[name] else current[name] for name in current
    }
    # A number and since when it is verified belong together.
    if fields["phone"] != before["phone"]:
        fields["phone_verified_at"] = current["phone_verified_at"]
    return Profile(**fields)


async def merge_consents(
    tx: Tx, *, from_member_id: UUID, into_member_id: UUID, now: datetime
) -> tuple[list[UUID], list[UUID]]:
    """Let the stricter answer hold; return which consents were given and which withdrawn for it."""
    pair = {"one": from_member_id, "other": into_member_id}
    rows = (await tx.execute(_CONSENTS, pair)).all()
    bound = set(await tx.scalars(_BOUND, pair))
    own, other = (
        _marketing(rows, member_id, is_bound=member_id in bound)
        for member_id in (into_member_id, from_member_id)
    )
    given: list[UUID] = []
    withdrawn: list[UUID] = []
    values = {"id": into_member_id, "now": now}
    wanted = wants_marketing(own, other)
    if own.is_wanted and not wanted:
        withdrawn = list(await tx.scalars(_WITHDRAW, values))
    lacking = {ConsentPurpose.MEMBERSHIP} | ({ConsentPurpose.MARKETING} if wanted else set())
    lacking -= {
        row.purpose for row in rows if row.member_id == into_member_id and not row.withdrawn_at
    }
    for row in rows:
        if row.member_id == from_member_id and not row.withdrawn_at and row.purpose in lacking:
            asked = {"purpose": row.purpose, "terms_version": row.terms_version}
            given += await tx.scalars(_GIVE, values | asked | {"new_id": new_id()})
    return given, withdrawn


def _marketing(rows: Any, member_id: UUID, *, is_bound: bool) -> MarketingAnswer:
    said = [
        row
        for row in rows
        if row.member_id == member_id and row.purpose == ConsentPurpose.MARKETING
    ]
    return MarketingAnswer(
        is_wanted=any(row.withdrawn_at is None for row in said), was_asked=is_bound or bool(said)
    )


async def take_consents_back(
    tx: Tx, snapshot: Snapshot, *, merged_at: datetime, now: datetime
) -> None:
    """Withdraw what a merge gave and give again what it withdrew, unless answered anew since."""
    await tx.execute(_TAKE_BACK, {"ids": snapshot.consents_given, "now": now})
    await tx.execute(_RESTORE, {"ids": snapshot.consents_withdrawn, "merged_at": merged_at})
