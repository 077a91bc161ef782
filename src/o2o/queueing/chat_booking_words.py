"""How bookings are said in chat: the sentences, the times, the example that is a real free slot."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from o2o.kernel.errors import Fact
from o2o.queueing.booking_commands import Booked
from o2o.queueing.errors_bookings import (
    BookedAlready,
    BookingsNotTaken,
    PartySizeNotBookable,
    SlotFull,
    SlotNotThere,
    SlotPast,
    SlotTooFar,
    TooManyBookings,
)
from o2o.queueing.queries.bookings import KnownBooking
from o2o.queueing.rules.booking_plan import Plan
from o2o.web.copy import Words
from o2o.wechat.chat.asks import Ask


class BookingWords:
    """Texts of `queueing_bookings.toml`; names and what people typed come escaped."""

    def __init__(self, words: Words, *, public_url: str) -> None:
        """Link to pages below `public_url`."""
        self._words = words
        self._public_url = public_url

    def text(self, ask: Ask, key: str, **values: Any) -> str:
        """Return a text of the chat."""
        told = {name: escape(str(value), quote=False) for name, value in values.items()}
        return self.raw(ask, key, **told)

    def raw(self, ask: Ask, key: str, **values: Any) -> str:
        """Return a text of the chat that is filled with texts of ours."""
        return self._words.text(f"queueing_bookings.chat.{key}", ask.locale, **values)

    def link(self, ask: Ask) -> str:
        """Return a link to the person's booking page."""
        address = f"{self._public_url}/h5/{ask.account.slug}/bookings"
        return f'<a href="{address}">{self.raw(ask, "link")}</a>'

    def with_example(
        self, ask: Ask, key: str, example: datetime | None, *, zone: ZoneInfo, **values: Any
    ) -> str:
        """Return a text with a time that is free, or the one for when none is."""
        if example is None:
            return self.text(ask, f"{key}_none", **values)
        return self.text(ask, key, example=typed(example, zone), **values)

    def at(self, ask: Ask, moment: datetime, zone: ZoneInfo) -> str:
        """Return a time in full, as a booking is confirmed."""
        return self._moment(ask, "at", moment, zone=zone)

    def booked(self, ask: Ask, booking: Booked) -> str:
        """Confirm a booking."""
        zone = ZoneInfo(booking.timezone)
        return self.text(
            ask,
            "booked",
            at=self.at(ask, booking.starts_at, zone),
            store=booking.store_name,
            code=booking.code,
        )

    def cancelled(self, ask: Ask, booking: Booked) -> str:
        """Confirm that a booking is called off."""
        zone = ZoneInfo(booking.timezone)
        at = self.at(ask, booking.starts_at, zone)
        return self.text(ask, "cancelled", at=at, store=booking.store_name)

    def of_mine(self, ask: Ask, booking: KnownBooking) -> str:
        """Return one line about a booking of the asker's."""
        zone = ZoneInfo(booking.timezone)
        at = self.at(ask, booking.starts_at, zone)
        return self.text(ask, "mine_line", at=at, store=booking.store_name, code=booking.code)

    def refused(
        self,
        ask: Ask,
        fact: Fact,
        *,
        plan: Plan,
        example: datetime | None,
        own: Sequence[KnownBooking],
    ) -> str:
        """Say why there is no booking, and what could be booked instead."""
        zone = plan.zone
        match fact:
            case SlotFull() | SlotNotThere():
                return self._other_times(ask, fact, zone)
            case SlotPast() | SlotTooFar():
                key = "past" if isinstance(fact, SlotPast) else "too_far"
                return self.with_example(ask, key, example, zone=zone)
            case TooManyBookings() | BookedAlready():
                return self._has_some(ask, fact, plan=plan, own=own)
            case PartySizeNotBookable(detail=detail):
                return self.with_example(
                    ask, "party_size", example, zone=zone, store=plan.store_name, **detail
                )
            case BookingsNotTaken():
                return self.text(ask, "not_taken", store=plan.store_name)
        reason = self._words.find(f"errors.{fact.code}.title", ask.locale, **fact.detail)
        return self.text(ask, "failed", reason=reason or "")

    def _has_some(
        self,
        ask: Ask,
        fact: TooManyBookings | BookedAlready,
        *,
        plan: Plan,
        own: Sequence[KnownBooking],
    ) -> str:
        """Say which booking the asker has, and how to call it off."""
        store = plan.store_name
        if isinstance(fact, TooManyBookings):
            return self.text(ask, "too_many", store=store, code=own[0].code, **fact.detail)
        booking = next(one for one in own if one.booking_id == fact.booking_id)
        return self.text(
            ask,
            "already",
            at=self.at(ask, booking.starts_at, plan.zone),
            store=store,
            party_size=booking.party_size,
            code=booking.code,
        )

    def _other_times(self, ask: Ask, fact: SlotFull | SlotNotThere, zone: ZoneInfo) -> str:
        """Offer the nearest times in their order; the example is the nearest."""
        key = "full" if isinstance(fact, SlotFull) else "no_slot"
        asked = datetime.fromisoformat(fact.detail["starts_at"]).astimezone(zone)
        at = self.at(ask, asked, zone)
        if not fact.nearest:
            return self.text(ask, f"{key}_none", at=at)
        times = [
            f"{near:%H:%M}"
            if near.date() == asked.date()
            else self._moment(ask, "at_near", near, zone=zone)
            for near in sorted(moment.astimezone(zone) for moment in fact.nearest)
        ]
        joined = self.raw(ask, "separator").join(times)
        return self.text(ask, key, at=at, times=joined, example=typed(fact.nearest[0], zone))

    def _moment(self, ask: Ask, key: str, moment: datetime, *, zone: ZoneInfo) -> str:
        local = moment.astimezone(zone)
        return self.raw(
            ask,
            key,
            year=local.year,
            month=local.month,
            day=local.day,
            time=f"{local:%H:%M}",
        )


def typed(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time as it is typed after y#."""
    return f"{moment.astimezone(zone):%Y%m%d%H%M}"
