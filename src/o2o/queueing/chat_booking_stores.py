"""Which store somebody wants to book by chat who names none, and which one an answer names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.infra.database import Tx
from o2o.queueing.chat_talk import kept_store
from o2o.queueing.queries.bookings import KnownBooking, list_live_of
from o2o.queueing.queries.places import choose_store
from o2o.queueing.rules.booking_asks import BookingAsk
from o2o.queueing.rules.chat_texts import ChatTexts
from o2o.wechat.chat.asks import Ask


async def meant_stores(
    tx: Tx,
    asked: Sequence[tuple[Ask, BookingAsk]],
    *,
    stores: Mapping[UUID, Sequence[UUID]],
) -> list[UUID | None]:
    """Return for each ask the store of its account that is meant, of those that can be booked.

    The one the talk is about; the one where the person has that very time already, so that the
    same message again is answered the same; the only one; the one that any message of his would be
    about; the only one where he has a booking. None: he has to be asked.
    """
    choices = await choose_store(tx, [ask for ask, _ in asked])
    live = await list_live_of(
        tx,
        fan_ids=[ask.fan_id for ask, _ in asked],
        member_ids=[ask.member_id for ask, _ in asked if ask.member_id],
    )
    found: list[UUID | None] = []
    for (ask, wanted), choice in zip(asked, choices, strict=True):
        bookable = stores[ask.account.id]
        own = [
            booking
            for booking in live
            if booking.store_id in bookable
            and booking.is_of(fan_id=ask.fan_id, member_id=ask.member_id)
        ]
        at = [booking.store_id for booking in own if _is_then(booking, wanted.at)]
        elsewhere = {booking.store_id for booking in own}
        candidates = [
            kept_store(ask),
            *at[:1],
            *(bookable if len(bookable) == 1 else ()),
            choice.store_id,
            *(elsewhere if len(elsewhere) == 1 else ()),
        ]
        found.append(next((store_id for store_id in candidates if store_id in bookable), None))
    return found


def _is_then(booking: KnownBooking, at: datetime | None) -> bool:
    return booking.starts_at.astimezone(ZoneInfo(booking.timezone)).replace(tzinfo=None) == at


def named_store(
    texts: ChatTexts, text: str, *, offered: Sequence[UUID], names: Mapping[UUID, str]
) -> UUID | int | None:
    """Return the store that an answer names by its place in the list, or by name.

    The number that was said where it is in no list; None where the text is something else.
    """
    place = texts.place_in_list(text)
    if place is not None:
        return offered[place - 1] if 1 <= place <= len(offered) else place
    stores = list(names)
    index = texts.named(text, [names[store_id] for store_id in stores])
    return stores[index] if index is not None else None
