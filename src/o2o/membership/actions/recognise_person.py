"""Recognise a person: a fan of an account, by what the brand knows them, and whose member it is."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.members import Consent, Fan, MemberIdentity
from o2o.crm.organisation import Brand, OfficialAccount
from o2o.crm.statuses import ConsentPurpose, IdentityKind, MemberStatus
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.kernel.ids import MemberId, new_id
from o2o.membership.errors import ConsentMissing, TermsChanged
from o2o.web.errors import AccountMismatch


class Person(msgspec.Struct, frozen=True):
    """A fan of an account of a brand, and by what the brand recognises them."""

    fan: Fan
    brand: Brand

    @property
    def identities(self) -> list[tuple[IdentityKind, str]]:
        """Unionid first, since it stands for the person across the brand's accounts."""
        found = [(IdentityKind.UNIONID, self.fan.unionid)] if self.fan.unionid else []
        return [*found, (IdentityKind.OPENID, self.fan.openid)]


_BIND = text(
    "UPDATE fans SET member_id = :member_id WHERE member_id IS NULL AND (id = :fan_id"
    " OR (CAST(:unionid AS text) IS NOT NULL AND unionid = :unionid AND account_id IN"
    " (SELECT id FROM official_accounts WHERE brand_id = :brand_id)))"
    " RETURNING id, openid"
)
# Waits for a merge or a deletion that is under way, and lets everything else pass.
_HOLD = text("SELECT id, status, merged_into_id FROM members WHERE id = :id FOR KEY SHARE")


async def get_person(tx: Tx, *, fan_id: UUID, account_id: UUID) -> Person:
    """Return who a fan of an account is. Raises AccountMismatch."""
    row = (
        await tx.execute(
            select(Fan, Brand)
            .join(OfficialAccount, OfficialAccount.id == Fan.account_id)
            .join(Brand, Brand.id == OfficialAccount.brand_id)
            .where(Fan.id == fan_id, Fan.account_id == account_id)
        )
    ).first()
    if row is None:
        raise AccountMismatch
    return Person(*row)


async def lock_identities(tx: Tx, person: Person, *others: tuple[IdentityKind, str]) -> None:
    """Let one transaction at a time decide whose these identities are.

    There is no row to lock yet for somebody who is not there: their names are locked instead.
    """
    wanted: Iterable[tuple[IdentityKind, str]] = [*person.identities, *others]
    await lock_names(tx, *(f"member:{person.brand.id}:{kind}:{value}" for kind, value in wanted))


async def find_own_member(tx: Tx, person: Person) -> MemberId | None:
    """Return whose member the person is; ask after `lock_identities`.

    Whoever joined meanwhile has committed and is seen from here on.
    """
    known = await _find_known(tx, person)
    return None if known is None else await hold_survivor(tx, known)


async def hold_survivor(tx: Tx, member_id: UUID) -> MemberId | None:
    """Return the member, or whom it became one with; None when deleted.

    Held so that until the transaction ends it becomes one with nobody else.
    """
    found: UUID | None = member_id
    while found is not None:
        row = (await tx.execute(_HOLD, {"id": found})).one()
        if row.status == MemberStatus.ACTIVE:
            return MemberId(row.id)
        found = row.merged_into_id
    return None


async def _find_known(tx: Tx, person: Person) -> UUID | None:
    bound: UUID | None = await tx.scalar(select(Fan.member_id).where(Fan.id == person.fan.id))
    if bound is not None:
        return bound
    rows = await tx.execute(
        select(MemberIdentity.kind, MemberIdentity.value, MemberIdentity.member_id).where(
            MemberIdentity.brand_id == person.brand.id,
            MemberIdentity.value.in_([value for _, value in person.identities]),
        )
    )
    known = {(row.kind, row.value): row.member_id for row in rows}
    for identity in person.identities:
        if identity in known:
            member_id: UUID = known[identity]
            return member_id
    return None


def check_terms(terms_version: str | None, *, brand: Brand) -> str:
    """Return the terms that were agreed to. Raises ConsentMissing, TermsChanged."""
    if not terms_version:
        raise ConsentMissing
    if terms_version != brand.terms_version:
        raise TermsChanged(terms_version=brand.terms_version)
    return terms_version


async def recognise(tx: Tx, person: Person, *, member_id: MemberId, now: datetime) -> None:
    """Bind the fan, and with a unionid the same person's other fans of the brand."""
    bound = await tx.execute(
        _BIND,
        {
            "member_id": member_id,
            "fan_id": person.fan.id,
            "unionid": person.fan.unionid,
            "brand_id": person.brand.id,
        },
    )
    identities = {*person.identities, *((IdentityKind.OPENID, row.openid) for row in bound)}
    await tx.execute(
        insert(MemberIdentity)
        .values(
            [
                {
                    "id": new_id(),
                    "brand_id": person.brand.id,
                    "member_id": member_id,
                    "kind": kind,
                    "value": value,
                    "created_at": now,
                }
                for kind, value in sorted(identities)
            ]
        )
        .on_conflict_do_nothing()
    )


async def consent(tx: Tx, *, member_id: MemberId, terms_version: str, now: datetime) -> None:
    """Keep the yes to the membership terms; once for each version."""
    await tx.execute(
        insert(Consent)
        .values(
            id=new_id(),
            member_id=member_id,
            purpose=ConsentPurpose.MEMBERSHIP,
            terms_version=terms_version,
            given_at=now,
        )
        .on_conflict_do_nothing()
    )
