"""What the diner's queue page shows of stores and lines, loaded in the reader's language."""

from datetime import datetime
from uuid import UUID

from o2o.infra.database import Tx
from o2o.kernel.geo import Point
from o2o.queueing.queries.crowds import list_crowds
from o2o.queueing.queries.doors import Door
from o2o.queueing.queries.own_tickets import OwnTicket
from o2o.queueing.web.diner_views import (
    LineChoice,
    StoreCard,
    TakeView,
    distance_words,
    metres_between,
)
from o2o.stores.queries import list_stores
from o2o.web.copy import Words
from o2o.web.principals import Diner

USUAL_PARTY = 2
FAR = float("inf")


async def list_store_cards(
    tx: Tx,
    diner: Diner,
    *,
    here: Point | None,
    words: Words,
    language: str,
    now: datetime,
) -> list[StoreCard]:
    """Return the account's stores that have queues, the nearest first where that is known."""
    stores = await list_stores(tx, account_id=diner.account_id)
    crowds = await list_crowds(tx, [store.id for store in stores], now=now)
    cards = []
    for store in stores:
        crowd = crowds[store.id]
        if not crowd.lines:
            continue
        metres = metres_between(here, Point(store.latitude, store.longitude))
        distance = None
        if metres is not None:
            key, figure = distance_words(metres)
            distance = words.text(f"queueing_pages.distance.{key}", language, figure=figure)
        cards.append(
            StoreCard(
                store_id=store.id,
                name=store.name,
                place=f"{store.district} {store.address}",
                timezone=store.timezone,
                crowd=crowd,
                distance_text=distance,
                distance_m=metres,
            )
        )
    # Without a place the order of the list stays; open ones first among equals.
    return sorted(cards, key=lambda card: (_far(card.distance_m), not card.crowd.is_open))


def _near(metres: int | None, words: Words, language: str) -> str | None:
    if metres is None:
        return None
    key, figure = distance_words(metres)
    # Whoever must be within 50 metres is told so: "right here" is no measure.
    key, figure = ("m", str(metres)) if key == "near" else (key, figure.removesuffix(".0"))
    return words.text(f"queueing_pages.distance.{key}", language, figure=figure)


def _far(metres: float | None) -> float:
    return FAR if metres is None else metres


async def load_take(
    tx: Tx,
    place: Door,
    *,
    door: str,
    party_size: int | None,
    chosen_id: UUID | None,
    request_id: UUID,
    can_choose_store: bool,
    own: OwnTicket | None,
    words: Words,
    language: str,
    now: datetime,
) -> TakeView:
    """Return the form of one store."""
    crowd = (await list_crowds(tx, [place.store_id], now=now))[place.store_id]
    lines = [LineChoice.of(line, language=language) for line in crowd.lines]
    size_max = max((line.party_size_max for line in lines), default=1)
    size = min(max(party_size or USUAL_PARTY, 1), size_max) if crowd.has_tables else 1
    return TakeView(
        store_id=place.store_id,
        store_name=place.store_name,
        address=place.address,
        timezone=place.timezone,
        crowd=crowd,
        lines=lines,
        has_tables=crowd.has_tables,
        party_size=size,
        party_size_max=size_max,
        chosen_id=chosen_id,
        request_id=request_id,
        door=door,
        near_text=None if door else _near(place.distance_m_max, words, language),
        can_choose_store=can_choose_store,
        own=own,
    )
