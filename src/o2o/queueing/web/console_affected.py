"""Whom a change at the console leaves without the time they booked: shown, then confirmed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.queueing.errors_bookings import BookingsWouldLoseTime
from o2o.queueing.queries.bookings import list_by_id
from o2o.queueing.web.booking_views import DayTexts
from o2o.queueing.web.console_forms import Form, read_ids
from o2o.web.language import language_of
from o2o.web.platform import platform_of

FIELD = "confirmed"
SHOWN_MAX = 50
# Nobody books so many at one store in the days that can be booked; a form holds them.
CONFIRMED_MAX = 20_000


class AffectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A booking that loses its time."""

    code: str
    at_text: str
    party_size: int


class AffectedView(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked before it is done."""

    count: int
    people: int
    rows: Sequence[AffectedRow]
    # What the confirming form sends back, so that nobody else is called off.
    booking_ids: str
    # How many came up after they were looked at once; 0 at first.
    fresh: int

    @property
    def unshown(self) -> int:
        """How many are not in the list, where it is long."""
        return self.count - len(self.rows)


def read_confirmed(form: Form) -> frozenset[UUID]:
    """Return the bookings that were looked at."""
    value = form.get(FIELD, "")
    return frozenset(read_ids(value.split()[:CONFIRMED_MAX]) if isinstance(value, str) else ())


async def load_affected(
    request: Request[Any, Any, Any],
    tx: Tx,
    store: Store,
    fact: BookingsWouldLoseTime,
    *,
    is_again: bool,
    now: datetime,
) -> AffectedView:
    """Return who would lose the time."""
    texts = DayTexts(platform_of(request).words, language=language_of(request), now=now)
    zone = ZoneInfo(store.timezone)
    bookings = await list_by_id(tx, fact.booking_ids)
    return AffectedView(
        count=len(bookings),
        people=sum(booking.party_size for booking in bookings),
        rows=[
            AffectedRow(
                code=booking.code,
                at_text=texts.full(booking.starts_at, zone),
                party_size=booking.party_size,
            )
            for booking in bookings[:SHOWN_MAX]
        ],
        booking_ids=" ".join(str(booking.booking_id) for booking in bookings),
        fresh=fact.fresh if is_again else 0,
    )
