"""Offer stored value to another member: it is set aside at once and waits a day for a yes."""

import base64
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.crm.privacy import PassOnOffer
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.outbox import publish
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, StoreId
from o2o.kernel.text import without_controls
from o2o.ledger.actions.hold_stored_value import Held, HoldStoredValue, hold_stored_value
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pass_on import PassOnTooManyOpen, PassOnToOneself
from o2o.membership.events import PassOnOffered
from o2o.membership.queries.counter import list_member_facts, lock_members
from o2o.membership.queries.pass_on import count_open_offers, get_store_of_value
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.request_ids import follows_from

LASTS = timedelta(hours=24)
# The offer ends by our own clockwork; the hold behind it only if that stands still.
HOLD_LASTS = timedelta(days=7)
OPEN_MAX = 5
MESSAGE_CHARS_MAX = 40

_INSERT = text(
    "INSERT INTO pass_on_offers (id, brand_id, from_member_id, to_member_id, token_hash,"
    " amount_fen, hold_id, message, status, offered_at, expires_at)"
    " VALUES (:id, :brand_id, :from_member_id, :to_member_id, :token_hash, :amount_fen, :hold_id,"
    " :message, 'offered', :now, :expires_at)"
)


def link_token(seal: Seal, offer_id: UUID) -> str:
    """Return what the link of an offer carries; only we can make it, so it need not be kept."""
    made = seal.hash_of(str(offer_id), use="pass_on_link")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def token_hash(seal: Seal, token: str) -> bytes:
    """Return by what an offer is found by its link."""
    return seal.hash_of(token, use="pass_on")


async def offer_pass_on(
    tx: Tx,
    *,
    request_id: RequestId,
    from_member_id: UUID,
    to_member_id: UUID | None,
    amount_fen: int,
    message: str,
    seal: Seal,
    now: datetime,
) -> UUID:
    """Set the amount aside for another member, or for whoever gets the link; the offer's id.

    Whoever calls has checked the pay PIN. Sent again, it is the same offer. Raises
    PassOnToOneself, MemberNotFound (also for another brand's), PassOnTooManyOpen,
    RequestBodyDiffers, what hold_stored_value refuses. Publishes pass_on.offered.
    """
    if to_member_id == from_member_id:
        raise PassOnToOneself
    both = {from_member_id} | ({to_member_id} if to_member_id else set())
    await lock_members(tx, both)
    if await _is_repeated(tx, request_id, (from_member_id, to_member_id, amount_fen)):
        return request_id
    brand_id = await _check_members(tx, from_member_id, to_member_id)
    if await count_open_offers(tx, from_member_id) >= OPEN_MAX:
        raise PassOnTooManyOpen(count_max=OPEN_MAX)
    held = await _hold(
        tx, request_id, from_member_id, brand_id=brand_id, amount_fen=amount_fen, now=now
    )
    hashed = None if to_member_id else token_hash(seal, link_token(seal, request_id))
    await tx.execute(
        _INSERT,
        {
            "id": request_id,
            "brand_id": brand_id,
            "from_member_id": from_member_id,
            "to_member_id": to_member_id,
            "token_hash": hashed,
            "amount_fen": amount_fen,
            "hold_id": held.hold_id,
            "message": without_controls(message)[:MESSAGE_CHARS_MAX] or None,
            "now": now,
            "expires_at": now + LASTS,
        },
    )
    await _tell(
        tx,
        PassOnOffered(
            offer_id=request_id,
            brand_id=BrandId(brand_id),
            from_member_id=MemberId(from_member_id),
            to_member_id=MemberId(to_member_id) if to_member_id else None,
            amount_fen=amount_fen,
            at=now,
        ),
    )
    return request_id


async def _tell(tx: Tx, offered: PassOnOffered) -> None:
    await note(
        tx,
        actor=Actor("member", offered.from_member_id),
        action=offered.name,
        at=offered.at,
        subject=("member", offered.from_member_id),
        amount_fen=offered.amount_fen,
        by_link=offered.to_member_id is None,
    )
    await publish(tx, offered, now=offered.at)


async def _is_repeated(tx: Tx, request_id: RequestId, asked: tuple[UUID, UUID | None, int]) -> bool:
    """Whether the offer was made by the same request before. Raises RequestBodyDiffers."""
    earlier = await tx.get(PassOnOffer, request_id)
    if earlier is None:
        return False
    # Whoever took it by its link is noted later: that is nothing that was asked.
    to_member_id = None if earlier.token_hash is not None else earlier.to_member_id
    if (earlier.from_member_id, to_member_id, earlier.amount_fen) != asked:
        raise RequestBodyDiffers(request_id=str(request_id))
    return True


async def _hold(
    tx: Tx,
    request_id: RequestId,
    member_id: UUID,
    *,
    brand_id: UUID,
    amount_fen: int,
    now: datetime,
) -> Held:
    programme = await get_programme(tx, BrandId(brand_id))
    [held] = await hold_stored_value(
        tx,
        [
            HoldStoredValue(
                request_id=follows_from("pass_on.hold", request_id),
                member_id=MemberId(member_id),
                store_id=StoreId(await get_store_of_value(tx, member_id)),
                amount_fen=amount_fen,
                expires_at=now + HOLD_LASTS,
                now=now,
            )
        ],
        order=programme.draw_order,
    )
    if isinstance(held, Fact):
        raise held
    return held


async def _check_members(tx: Tx, from_member_id: UUID, to_member_id: UUID | None) -> UUID:
    both = {from_member_id} | ({to_member_id} if to_member_id else set())
    facts = await list_member_facts(tx, both)
    for member_id in sorted(both):
        if member_id not in facts or facts[member_id].brand_id != facts[from_member_id].brand_id:
            raise MemberNotFound(member_id=member_id)
    return facts[from_member_id].brand_id
