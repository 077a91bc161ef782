"""Bind a card bought over the counter: what it holds becomes one with the person's member card.

By number and scratch code on the phone, or by a clerk who has the card in hand during a visit.
Somebody who is no member yet becomes the member that the card belongs to.
"""

from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import OfflineCardStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId
from o2o.membership.actions.check_card_code import check_card_code
from o2o.membership.actions.merge_members import merge_members
from o2o.membership.actions.recognise_person import (
    check_terms,
    consent,
    find_own_member,
    get_person,
    hold_survivor,
    lock_identities,
    recognise,
)
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import (
    CardAlreadyYours,
    CardOfSomebodyElse,
    CardReplaced,
    CardReportedLost,
    CardUnknown,
)
from o2o.membership.moves_identity import OFFLINE_CARD_MOVES
from o2o.membership.queries.offline_cards import FoundCard, find_offline_card, lock_offline_card
from o2o.membership.queries.visits import get_live_visit
from o2o.membership.rules.scratch_cards import fold_card_no
from o2o.membership.scanners import AtPad


class BindCard(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed on the phone, and who asks from where."""

    fan_id: UUID
    account_id: UUID
    address: str
    card_no: str
    code: str
    terms_version: str | None = None


class CardBound(msgspec.Struct, frozen=True, kw_only=True):
    """The card is the member's. `merged_member_id` became one with it, unless it was nobody's."""

    member_id: MemberId
    card_no: str
    merged_member_id: MemberId | None


_MARK_BOUND = text(
    "UPDATE offline_cards SET status = 'bound', bound_at = :now"
    " WHERE member_id = :member_id AND status = ANY(CAST(:sources AS text[]))"
)


async def bind_offline_card(
    tx: Tx, asked: BindCard, *, seal: Seal, now: datetime
) -> CardBound | Fact:
    """Bind by number and code. A wrong guess comes back as data, since it stays counted.

    Facts: CardCodeWrong, CardGuessLocked. Raises CardReportedLost, CardReplaced, CardAlreadyYours,
    CardOfSomebodyElse, ConsentMissing, TermsChanged, and those of merge_members.
    """
    person = await get_person(tx, fan_id=asked.fan_id, account_id=asked.account_id)
    card = await check_card_code(
        tx,
        brand_id=person.brand.id,
        fan_id=asked.fan_id,
        address=asked.address,
        card_no=asked.card_no,
        code=asked.code,
        seal=seal,
        now=now,
    )
    if isinstance(card, Fact):
        return card
    await lock_identities(tx, person)
    card = await _settled(tx, card, brand_id=person.brand.id)
    own_id = await find_own_member(tx, person)
    _check_free(card, own_id=own_id)
    if own_id is None:
        terms = check_terms(asked.terms_version, brand=person.brand)
        own_id = card.member_id
        await recognise(tx, person, member_id=own_id, now=now)
        await consent(tx, member_id=own_id, terms_version=terms, now=now)
    return await _join(tx, card, own_id=own_id, by=Actor("member", own_id), now=now)


async def bind_card_at_pad(
    tx: Tx, *, visit_id: UUID, by: AtPad, card_no: str, now: datetime
) -> CardBound:
    """Bind a card that the clerk has in hand to the member at the counter; no code is asked for.

    Raises VisitNotYours, VisitExpired, CardUnknown and those of bind_offline_card.
    """
    visit = await get_live_visit(tx, visit_id=visit_id, pad_id=by.pad_id, now=now)
    number = fold_card_no(card_no)
    found = await find_offline_card(tx, brand_id=by.brand_id, card_no=number) if number else None
    if found is None:
        raise CardUnknown(field="card_no")
    card = await _settled(tx, found, brand_id=by.brand_id)
    own_id = await hold_survivor(tx, visit.member_id)
    if own_id is None:
        raise MemberNotFound(member_id=visit.member_id)
    _check_free(card, own_id=own_id)
    return await _join(tx, card, own_id=own_id, by=Actor("staff", by.staff_id), now=now)


async def _settled(tx: Tx, card: FoundCard, *, brand_id: UUID) -> FoundCard:
    """Lock a card and read it again: whoever bound it meanwhile has committed."""
    await lock_offline_card(tx, card.id)
    found = await find_offline_card(tx, brand_id=brand_id, card_no=card.card_no)
    assert found is not None, "cards are never deleted while their brand is there"
    return found


def _check_free(card: FoundCard, *, own_id: MemberId | None) -> None:
    if card.status is OfflineCardStatus.LOST:
        raise CardReportedLost
    if card.status is OfflineCardStatus.REPLACED:
        raise CardReplaced
    if card.member_id == own_id:
        if card.status is OfflineCardStatus.BOUND:
            raise CardAlreadyYours
        return
    if card.is_claimed or card.status is OfflineCardStatus.BOUND:
        raise CardOfSomebodyElse


async def _join(
    tx: Tx, card: FoundCard, *, own_id: MemberId, by: Actor, now: datetime
) -> CardBound:
    merged: MemberId | None = None
    if card.member_id != own_id:
        merged = card.member_id
        await merge_members(
            tx,
            # Bound, taken apart and bound again are two intentions.
            request_id=RequestId(uuid5(card.id, f"{own_id}:{now.isoformat()}")),
            from_member_id=merged,
            into_member_id=own_id,
            by=by,
            now=now,
        )
    sources = sorted(OFFLINE_CARD_MOVES.sources_of(OfflineCardStatus.BOUND))
    await tx.execute(_MARK_BOUND, {"member_id": own_id, "now": now, "sources": sources})
    await note(
        tx,
        actor=by,
        action="card.bound",
        at=now,
        subject=("member", own_id),
        card_tail=card.card_no[-4:],
    )
    return CardBound(member_id=own_id, card_no=card.card_no, merged_member_id=merged)
