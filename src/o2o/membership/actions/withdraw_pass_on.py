"""End an offer of stored value without a taker: withdrawn, declined, or nobody came in a day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from o2o.crm.privacy import PassOnOffer
from o2o.crm.statuses import PassOnStatus
from o2o.infra.audit import SYSTEM, Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, TransferId
from o2o.ledger.actions.end_holds import VoidHold, void_holds
from o2o.ledger.errors import HoldEnded
from o2o.membership.errors_pass_on import PassOnEnded, PassOnNotFound
from o2o.membership.events import PassOnSettled
from o2o.membership.moves import PASS_ON_MOVES
from o2o.membership.queries.counter import lock_members
from o2o.membership.queries.pass_on import find_offer, list_due_offers, lock_offer
from o2o.membership.rules.request_ids import follows_from

RETURNED_AT_ONCE = 50


async def withdraw_pass_on(tx: Tx, *, offer_id: UUID, member_id: UUID, now: datetime) -> None:
    """Take one's own offer back. Raises PassOnNotFound, PassOnEnded."""
    offer = await _lock(tx, offer_id)
    if offer.from_member_id != member_id:
        raise PassOnNotFound
    await _give_back(
        tx, offer, status=PassOnStatus.WITHDRAWN, by=Actor("member", member_id), now=now
    )


async def decline_pass_on(
    tx: Tx, *, offer_id: UUID, member_id: UUID, by_link: bool, now: datetime
) -> None:
    """Say no to an offer; the sender has the money back. Raises PassOnNotFound, PassOnEnded.

    Who holds a link may let it be, and declines only what nobody else could take: nothing.
    """
    offer = await _lock(tx, offer_id)
    if offer.to_member_id != member_id or by_link:
        raise PassOnNotFound
    await _give_back(
        tx, offer, status=PassOnStatus.DECLINED, by=Actor("member", member_id), now=now
    )


async def return_due_offers(tx: Tx, now: datetime) -> None:
    """Give back what nobody took within a day."""
    for offer_id in await list_due_offers(tx, now=now, limit=RETURNED_AT_ONCE):
        offer = await _lock(tx, offer_id)
        if offer.status is PassOnStatus.OFFERED and offer.expires_at <= now:
            await _give_back(tx, offer, status=PassOnStatus.RETURNED, by=SYSTEM, now=now)


async def settle_offer(
    tx: Tx,
    offer: PassOnOffer,
    *,
    status: PassOnStatus,
    now: datetime,
    taker_id: UUID | None = None,
    transfer_id: UUID | None = None,
) -> None:
    """Write down how a locked offer ended and tell of it.

    Raises PassOnEnded. Publishes pass_on.settled.
    """
    to_member_id = taker_id or offer.to_member_id
    settled = await tx.execute(
        update(PassOnOffer)
        .where(PassOnOffer.id == offer.id, PassOnOffer.status.in_(PASS_ON_MOVES.sources_of(status)))
        .values(status=status, ended_at=now, to_member_id=to_member_id, transfer_id=transfer_id)
        .returning(PassOnOffer.id)
    )
    if settled.first() is None:
        raise PassOnEnded(status=offer.status.value)
    await publish(
        tx,
        PassOnSettled(
            offer_id=offer.id,
            brand_id=BrandId(offer.brand_id),
            from_member_id=MemberId(offer.from_member_id),
            to_member_id=MemberId(to_member_id) if to_member_id else None,
            amount_fen=offer.amount_fen,
            status=status.value,
            at=now,
        ),
        now=now,
    )


async def _lock(tx: Tx, offer_id: UUID) -> PassOnOffer:
    """Members first, as everybody locks. Raises PassOnNotFound."""
    seen = await find_offer(tx, offer_id)
    if seen is None:
        raise PassOnNotFound
    both = {seen.from_member_id} | ({seen.to_member_id} if seen.to_member_id else set())
    await lock_members(tx, both)
    return await lock_offer(tx, offer_id)


async def _give_back(
    tx: Tx, offer: PassOnOffer, *, status: PassOnStatus, by: Actor, now: datetime
) -> None:
    if offer.status is status:
        return
    if offer.status is not PassOnStatus.OFFERED:
        raise PassOnEnded(status=offer.status.value)
    [released] = await void_holds(
        tx,
        [
            VoidHold(
                request_id=follows_from("pass_on.release", offer.id),
                member_id=MemberId(offer.from_member_id),
                store_id=None,
                hold_id=TransferId(offer.hold_id),
                now=now,
            )
        ],
    )
    # The hold outlives the offer by days; when both stood still for so long it went back by itself.
    if isinstance(released, Fact) and not isinstance(released, HoldEnded):
        raise released
    await note(
        tx,
        actor=by,
        action=f"pass_on.{status.value}",
        at=now,
        subject=("member", offer.from_member_id),
        amount_fen=offer.amount_fen,
    )
    await settle_offer(tx, offer, status=status, now=now)
