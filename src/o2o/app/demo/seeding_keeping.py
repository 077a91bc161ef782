"""Enter the demo's bought cards, and what staff keep of its members."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from o2o.app.demo.history import DemoMember
from o2o.app.demo.keeping import BoughtCard, Keeping, Kept
from o2o.app.demo.seeding import Places
from o2o.app.demo.world import World
from o2o.crm.statuses import RelationKind, TasteKind
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, RequestId, StaffId
from o2o.membership.actions.declare_tastes import declare_taste
from o2o.membership.actions.enter_bought_cards import KnownBoughtCard, enter_bought_cards
from o2o.membership.actions.relate_members import relate_members
from o2o.membership.actions.tag_members import add_tag
from o2o.membership.actions.write_note import write_note


async def seed_bought_cards(
    tx: Tx, world: World, keeping: Keeping, *, places: Places, seal: Seal, now: datetime
) -> None:
    """Enter the cards that wait for somebody to bind them."""
    for brand in world.brands:
        cards = [
            _known(card, places=places, now=now)
            for card in keeping.bought_cards
            if card.brand == brand.slug
        ]
        await enter_bought_cards(
            tx,
            cards,
            brand_id=places.brands[brand.slug],
            card_prefix=brand.card_prefix,
            seal=seal,
            now=now,
        )


def _known(card: BoughtCard, *, places: Places, now: datetime) -> KnownBoughtCard:
    return KnownBoughtCard(
        request_id=_request_id("bought", card.card_no),
        card_no=card.card_no,
        code=card.code,
        store_id=places.stores[card.store],
        principal_fen=card.principal_fen,
        bonus_fen=card.bonus_fen,
        points=card.points,
        sold_at=now - timedelta(days=card.sold_days_ago),
    )


async def seed_kept(
    tx: Tx,
    keeping: Keeping,
    *,
    members: tuple[DemoMember, ...],
    entered: Mapping[str, MemberId],
    places: Places,
    now: datetime,
) -> None:
    """Write tags, notes, tastes and relations as staff would. Raises KeyError for a stranger."""
    cards = {(member.brand, member.name): member.card_no for member in members}
    ids = {(member.brand, member.name): entered[member.ref] for member in members}
    for kept in keeping.kept:
        member_id, by = ids[kept.brand, kept.name], places.staff[kept.by]
        for tag in kept.tags:
            await add_tag(tx, member_id=member_id, tag=tag, by=by, now=now)
        await _seed_notes(tx, kept, member_id=member_id, by=by, now=now)
        for kind, words in (
            (TasteKind.ALLERGY, kept.allergies),
            (TasteKind.DISLIKE, kept.dislikes),
            (TasteKind.LIKE, kept.likes),
        ):
            for word in words:
                await declare_taste(tx, member_id=member_id, word=word, kind=kind, by=by, now=now)
        for kind_of, name in (
            (RelationKind.FAMILY, kept.family),
            (RelationKind.BROUGHT, kept.brought),
        ):
            if name is not None:
                await relate_members(
                    tx,
                    member_id=member_id,
                    other=cards[kept.brand, name],
                    kind=kind_of,
                    was_brought=False,
                    by=by,
                    now=now,
                )


async def _seed_notes(
    tx: Tx, kept: Kept, *, member_id: MemberId, by: StaffId, now: datetime
) -> None:
    for body, is_pinned in ((kept.pinned_note, True), (kept.note, False)):
        if body is not None:
            await write_note(
                tx,
                request_id=_request_id("note", f"{kept.name}:{is_pinned}"),
                member_id=member_id,
                body=body,
                is_pinned=is_pinned,
                by=by,
                now=now,
            )


def _request_id(kind: str, name: str) -> RequestId:
    """Name an intention for ever, so that a demo killed while seeding goes on where it was."""
    return RequestId(uuid5(NAMESPACE_URL, f"demo:{kind}:{name}"))
