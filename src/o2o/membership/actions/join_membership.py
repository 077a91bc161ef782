"""Join: a fan says yes to the terms and becomes a member with a card, at once and once only."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, FanId, MemberId
from o2o.membership.actions.issue_card import create_member_with_card
from o2o.membership.actions.recognise_person import (
    Person,
    check_terms,
    consent,
    find_own_member,
    get_person,
    lock_identities,
    recognise,
)
from o2o.membership.errors import SnapshotSession
from o2o.membership.events import MemberJoined


class JoinedMember(msgspec.Struct, frozen=True, kw_only=True):
    """The member that the fan is now, or was already."""

    member_id: MemberId
    is_new: bool


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
    person = await get_person(tx, fan_id=fan_id, account_id=account_id)
    agreed = check_terms(terms_version, brand=person.brand)
    await lock_identities(tx, person)
    found = await find_own_member(tx, person)
    if found is None:
        member_id = await make_member(tx, person, terms_version=agreed, now=now)
        return JoinedMember(member_id=member_id, is_new=True)
    await recognise(tx, person, member_id=found, now=now)
    await consent(tx, member_id=found, terms_version=agreed, now=now)
    return JoinedMember(member_id=found, is_new=False)


async def make_member(tx: Tx, person: Person, *, terms_version: str, now: datetime) -> MemberId:
    """Make a new member of somebody whose identities are locked and are nobody's yet.

    Publishes member.joined.
    """
    brand_id = BrandId(person.brand.id)
    member_id = await create_member_with_card(
        tx, brand_id=brand_id, card_prefix=person.brand.card_prefix, now=now
    )
    await recognise(tx, person, member_id=member_id, now=now)
    await consent(tx, member_id=member_id, terms_version=terms_version, now=now)
    event = MemberJoined(
        member_id=member_id, brand_id=brand_id, fan_id=FanId(person.fan.id), at=now
    )
    await publish(tx, event, now=now)
    await note(
        tx,
        actor=Actor("fan", person.fan.id),
        action="member.joined",
        at=now,
        subject=("member", member_id),
        terms_version=terms_version,
    )
    return member_id
