"""Join: a fan says yes to the terms and becomes a member with a card, at once and once only."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.members import Consent, Fan, MemberIdentity
from o2o.crm.organisation import Brand, OfficialAccount
from o2o.crm.statuses import ConsentPurpose, IdentityKind
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, FanId, MemberId, new_id
from o2o.membership.actions.issue_card import create_member_with_card
from o2o.membership.errors import ConsentMissing, SnapshotSession, TermsChanged
from o2o.membership.events import MemberJoined
from o2o.web.errors import AccountMismatch


class JoinedMember(msgspec.Struct, frozen=True, kw_only=True):
    """The member that the fan is now, or was already."""

    member_id: MemberId
    is_new: bool


class _Person(msgspec.Struct, frozen=True):
    """Who joins: a fan of an account of a brand, and by what the brand recognises them."""

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


async def join_membership(
    tx: Tx,
    *,
    fan_id: UUID,
    account_id: UUID,
    terms_version: str | None,
    is_snapshot: bool,
    now: datetime,
) -> JoinedMember:
    """Make the fan a member, or return the member it is.

    Twice, or at once from two accounts with one unionid, makes one member. `account_id` and
    `is_snapshot` come from the session. Raises SnapshotSession, AccountMismatch, ConsentMissing,
    TermsChanged. Publishes member.joined for a new member.
    """
    if is_snapshot:
        raise SnapshotSession
    person = await _find_person(tx, fan_id=fan_id, account_id=account_id)
    if not terms_version:
        raise ConsentMissing
    if terms_version != person.brand.terms_version:
        raise TermsChanged(terms_version=person.brand.terms_version)
    brand_id = BrandId(person.brand.id)
    # There is no row to lock yet for somebody who is not there: their names are locked instead.
    await lock_names(tx, *(f"member:{brand_id}:{kind}:{v}" for kind, v in person.identities))
    found = await _find_member(tx, person)
    member_id = found or await create_member_with_card(
        tx, brand_id=brand_id, card_prefix=person.brand.card_prefix, now=now
    )
    await _recognise(tx, person, member_id=member_id, now=now)
    await _consent(tx, member_id=member_id, terms_version=terms_version, now=now)
    if found is None:
        await publish(
            tx,
            MemberJoined(member_id=member_id, brand_id=brand_id, fan_id=FanId(fan_id), at=now),
            now=now,
        )
        await note(
            tx,
            actor=Actor("fan", fan_id),
            action="member.joined",
            at=now,
            subject=("member", member_id),
            terms_version=terms_version,
        )
    return JoinedMember(member_id=member_id, is_new=found is None)


async def _find_person(tx: Tx, *, fan_id: UUID, account_id: UUID) -> _Person:
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
    return _Person(*row)


async def _find_member(tx: Tx, person: _Person) -> MemberId | None:
    # After the locks: whoever joined meanwhile has committed and is seen from here on.
    bound = await tx.scalar(select(Fan.member_id).where(Fan.id == person.fan.id))
    if bound is not None:
        return MemberId(bound)
    rows = await tx.execute(
        select(MemberIdentity.kind, MemberIdentity.value, MemberIdentity.member_id).where(
            MemberIdentity.brand_id == person.brand.id,
            MemberIdentity.value.in_([value for _, value in person.identities]),
        )
    )
    known = {(row.kind, row.value): row.member_id for row in rows}
    for identity in person.identities:
        if identity in known:
            return MemberId(known[identity])
    return None


async def _recognise(tx: Tx, person: _Person, *, member_id: MemberId, now: datetime) -> None:
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


async def _consent(tx: Tx, *, member_id: MemberId, terms_version: str, now: datetime) -> None:
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
