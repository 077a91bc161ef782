"""Accept stored value that another member offered: it moves at once, to exactly one taker."""

from datetime import datetime
from uuid import UUID

from o2o.crm.privacy import PassOnOffer
from o2o.crm.statuses import PassOnStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, TransferId
from o2o.ledger.actions.end_holds import VoidHold, void_holds
from o2o.ledger.actions.pass_on_stored_value import PassOnStoredValue, pass_on_stored_value
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.membership.actions.withdraw_pass_on import settle_offer
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pass_on import PassOnEnded, PassOnNotFound, PassOnToOneself
from o2o.membership.queries.counter import MemberFacts, list_member_facts, lock_members
from o2o.membership.queries.pass_on import find_offer, lock_offer
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.request_ids import follows_from


async def accept_pass_on(
    tx: Tx, *, offer_id: UUID, member_id: UUID, by_link: bool, now: datetime
) -> TransferId:
    """Take what was offered; `by_link` when the member came with the offer's own link.

    Taken again by the same member, it is the same transfer. Raises PassOnNotFound (also for an
    offer to somebody else, or of another brand), PassOnToOneself, PassOnEnded, and what
    pass_on_stored_value refuses: a card holds no more than its limit. Publishes pass_on.settled.
    """
    seen = await find_offer(tx, offer_id)
    if seen is None:
        raise PassOnNotFound
    # Members first, then the offer, then their money: everybody locks in this order.
    await lock_members(tx, {seen.from_member_id, member_id})
    offer = await lock_offer(tx, offer_id)
    facts = await list_member_facts(tx, {offer.from_member_id, member_id})
    taker = _check_taker(offer, facts, member_id=member_id, by_link=by_link)
    if offer.status is PassOnStatus.ACCEPTED and offer.to_member_id == member_id:
        assert offer.transfer_id is not None
        return TransferId(offer.transfer_id)
    if offer.status is not PassOnStatus.OFFERED:
        raise PassOnEnded(status=offer.status.value)
    if offer.expires_at <= now:
        raise PassOnEnded(status=PassOnStatus.RETURNED.value)
    transfer_id = await _move(tx, offer, taker, now=now)
    await note(
        tx,
        actor=Actor("member", member_id),
        action="pass_on.accepted",
        at=now,
        subject=("member", offer.from_member_id),
        amount_fen=offer.amount_fen,
        to_member_id=str(member_id),
    )
    await settle_offer(
        tx,
        offer,
        status=PassOnStatus.ACCEPTED,
        taker_id=member_id,
        transfer_id=transfer_id,
        now=now,
    )
    return transfer_id


def _check_taker(
    offer: PassOnOffer, facts: dict[UUID, MemberFacts], *, member_id: UUID, by_link: bool
) -> MemberFacts:
    taker = facts.get(member_id)
    if taker is None:
        raise MemberNotFound(member_id=member_id)
    is_theirs = offer.to_member_id == member_id or (by_link and offer.token_hash is not None)
    if taker.brand_id != offer.brand_id or not is_theirs:
        raise PassOnNotFound
    if offer.from_member_id == member_id:
        raise PassOnToOneself
    if offer.from_member_id not in facts:
        raise PassOnEnded(status=PassOnStatus.RETURNED.value)
    return taker


async def _move(tx: Tx, offer: PassOnOffer, taker: MemberFacts, *, now: datetime) -> TransferId:
    """Give back what was set aside and pass it on, together or not at all."""
    sender = MemberId(offer.from_member_id)
    programme = await get_programme(tx, BrandId(offer.brand_id))
    [released] = await void_holds(
        tx,
        [
            VoidHold(
                request_id=follows_from("pass_on.release", offer.id),
                member_id=sender,
                store_id=None,
                hold_id=TransferId(offer.hold_id),
                now=now,
            )
        ],
    )
    if isinstance(released, Fact):
        raise released
    [passed] = await pass_on_stored_value(
        tx,
        [
            PassOnStoredValue(
                request_id=follows_from("pass_on.accept", offer.id),
                member_id=sender,
                store_id=None,
                to_member_id=MemberId(taker.member_id),
                amount_fen=offer.amount_fen,
                balance_fen_max=prepaid_limit_fen(is_named=taker.is_named),
                now=now,
            )
        ],
        order=programme.draw_order,
    )
    if isinstance(passed, Fact):
        raise passed
    return passed.transfer_id
