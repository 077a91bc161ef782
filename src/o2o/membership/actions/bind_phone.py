"""Bind a proved phone: it becomes the member's, and cards that have it become one with the member.

The same phone leads to the same member of the brand, from whichever account it is proved. Where
other members have it, the person sees who they are and says yes before anything becomes one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import IdentityKind, VerificationPurpose
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, MemberId, RequestId
from o2o.membership.actions.join_membership import make_member
from o2o.membership.actions.merge_members import merge_members
from o2o.membership.actions.merge_profiles import add_phone, drop_phones
from o2o.membership.actions.recognise_person import (
    Person,
    check_terms,
    consent,
    find_own_member,
    get_person,
    lock_identities,
    recognise,
)
from o2o.membership.actions.verify_phone import end_verification
from o2o.membership.errors_identity import (
    CandidatesChanged,
    OtherPinNeeded,
    PhoneNotProved,
    StepUpNeeded,
)
from o2o.membership.queries.identity import PhoneOwner, find_members_by_phone
from o2o.membership.queries.merge_preview import list_guarded
from o2o.membership.queries.verifications import Proof, find_proof
from o2o.membership.rules.merging import Joined, choose_survivor


class PhoneBound(msgspec.Struct, frozen=True, kw_only=True):
    """The phone is the member's; `merged` became one with it on the way."""

    member_id: MemberId
    merged: list[MemberId]
    is_new: bool


class PhoneHasOwners(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing has happened yet: other members have the phone, and the person is to be asked."""

    own_id: MemberId | None
    owners: list[MemberId]


_KEPT = text(
    "SELECT joined_at, phone, phone_verified_at FROM members WHERE id = :id FOR NO KEY UPDATE"
)
_SET = text(
    "UPDATE members SET phone = :phone, phone_verified_at = :now"
    " WHERE id = :id AND (phone IS DISTINCT FROM :phone OR phone_verified_at IS NULL)"
    " RETURNING id"
)
# A number that others were merely noted with is theirs no more, now that somebody proved it.
_FORGET = text(
    "UPDATE members SET phone = NULL, phone_verified_at = NULL WHERE brand_id = :brand_id"
    " AND phone = :phone AND id <> :id AND status = 'active' RETURNING id"
)
_FORGET_IDENTITY = text(
    "DELETE FROM member_identities WHERE brand_id = :brand_id AND kind = 'phone'"
    " AND value = :phone AND member_id <> :id"
)


async def bind_phone(
    tx: Tx,
    *,
    fan_id: UUID,
    account_id: UUID,
    now: datetime,
    agreed: Sequence[UUID] | None = None,
    pin_proved: Collection[UUID] = (),
) -> PhoneBound | PhoneHasOwners:
    """Act on the phone that the fan proved last.

    `agreed` are the members the person was shown and said yes to; None asks first. `pin_proved` are
    those whose pay PIN was right: a number that changed hands must not open a guarded wallet.
    Naming another phone than the one in force needs a step-up proof. Raises PhoneNotProved,
    StepUpNeeded, CandidatesChanged, OtherPinNeeded, ConsentMissing, TermsChanged, and those of
    merge_members.
    """
    person = await get_person(tx, fan_id=fan_id, account_id=account_id)
    proof = await find_proof(tx, fan_id, purpose=VerificationPurpose.BIND, now=now)
    if proof is None:
        raise PhoneNotProved
    await lock_identities(tx, person, (IdentityKind.PHONE, proof.phone))
    # Again, now that it is our turn: the same form sent twice acts once.
    proof = await find_proof(tx, fan_id, purpose=VerificationPurpose.BIND, now=now)
    if proof is None:
        raise PhoneNotProved
    own_id = await find_own_member(tx, person)
    proofs = [proof]
    if own_id is not None:
        proofs += await _step_up(tx, own_id, fan_id=fan_id, phone=proof.phone, now=now)
    found = await find_members_by_phone(tx, brand_id=BrandId(person.brand.id), phone=proof.phone)
    owners = [owner for owner in found if owner.may_be_joined and owner.member_id != own_id]
    if owners and agreed is None:
        return PhoneHasOwners(own_id=own_id, owners=[owner.member_id for owner in owners])
    if {owner.member_id for owner in owners} != set(agreed or ()):
        raise CandidatesChanged
    if set(await list_guarded(tx, [owner.member_id for owner in owners])) - set(pin_proved):
        raise OtherPinNeeded
    bound = await _bind(tx, person, proof, own_id=own_id, owners=owners, now=now)
    for used in proofs:
        await end_verification(tx, used.verification_id, now=now)
    return bound


async def _step_up(
    tx: Tx, own_id: MemberId, *, fan_id: UUID, phone: str, now: datetime
) -> list[Proof]:
    """Return the proof of the phone in force, where one is needed. Raises StepUpNeeded."""
    kept = (await tx.execute(_KEPT, {"id": own_id})).one()
    if kept.phone_verified_at is None or kept.phone == phone:
        return []
    step_up = await find_proof(tx, fan_id, purpose=VerificationPurpose.STEP_UP, now=now)
    if step_up is None or step_up.phone != kept.phone:
        raise StepUpNeeded
    return [step_up]


async def _bind(
    tx: Tx,
    person: Person,
    proof: Proof,
    *,
    own_id: MemberId | None,
    owners: list[PhoneOwner],
    now: datetime,
) -> PhoneBound:
    is_new = own_id is None and not owners
    if own_id is None:
        terms = check_terms(proof.terms_version, brand=person.brand)
        if is_new:
            own_id = await make_member(tx, person, terms_version=terms, now=now)
        else:
            own_id = _oldest(owners)
            await recognise(tx, person, member_id=own_id, now=now)
            await consent(tx, member_id=own_id, terms_version=terms, now=now)
    survivor, others = await _survivor(tx, own_id, owners)
    for other in others:
        await merge_members(
            tx,
            # The same yes is the same intention, however often it is sent.
            request_id=RequestId(uuid5(proof.verification_id, str(other))),
            from_member_id=other,
            into_member_id=survivor,
            by=Actor("member", own_id),
            now=now,
            proved_phone=proof.phone,
        )
    await set_verified_phone(
        tx, survivor, brand_id=BrandId(person.brand.id), phone=proof.phone, now=now
    )
    return PhoneBound(member_id=survivor, merged=others, is_new=is_new)


def _oldest(owners: list[PhoneOwner]) -> MemberId:
    return MemberId(choose_survivor([Joined(o.member_id, o.joined_at) for o in owners]))


async def _survivor(
    tx: Tx, own_id: MemberId, owners: list[PhoneOwner]
) -> tuple[MemberId, list[MemberId]]:
    joined_at = {owner.member_id: owner.joined_at for owner in owners}
    if own_id not in joined_at:
        kept = (await tx.execute(_KEPT, {"id": own_id})).one()
        joined_at[own_id] = kept.joined_at
    survivor = MemberId(choose_survivor([Joined(id_, at) for id_, at in joined_at.items()]))
    return survivor, sorted(id_ for id_ in joined_at if id_ != survivor)


async def set_verified_phone(
    tx: Tx, member_id: MemberId, *, brand_id: BrandId, phone: str, now: datetime
) -> None:
    """Let a phone that was proved be this member's, and nobody else's of the brand."""
    asked = {"id": member_id, "brand_id": brand_id, "phone": phone, "now": now}
    forgotten = list(await tx.scalars(_FORGET, asked))
    await tx.execute(_FORGET_IDENTITY, asked)
    await drop_phones(tx, member_id, keep=phone)
    await add_phone(tx, member_id, phone, now=now)
    if (await tx.execute(_SET, asked)).first() is None and not forgotten:
        return
    await note(
        tx,
        actor=Actor("member", member_id),
        action="phone.verified",
        at=now,
        subject=("member", member_id),
        phone=phone,
        taken_from=forgotten,
    )
