"""What a party is told and until when it is news: pure decisions about notices."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from o2o.crm.statuses import TicketNoticeKind as Kind
from o2o.crm.statuses import TicketStatus as S
from o2o.queueing.rules.call_order import positions_told
from o2o.queueing.rules.wait_estimate import WaitEstimate, WaitModel

# WeChat keeps at most 32 characters of a client's own message id.
_MESSAGE_ID_BYTES = 16
SECONDS_PER_MINUTE = 60
# Ranges are told in steps of so many minutes, widened outwards.
STEP_MINUTES = 5

# Longer waits are told in hours and halves of them, widened outwards too.
HOURS_FROM_MINUTES = 120
HALF_HOUR_MINUTES = 30

# How a ticket may stand for a notice to be true still. A call that was missed is told: the party
# learns that it was called, and the page how to come back.
_TRUE_WHILE: Mapping[Kind, frozenset[S]] = {
    Kind.SOON: frozenset({S.WAITING}),
    Kind.CALLED: frozenset({S.CALLED, S.SKIPPED}),
    Kind.RECALLED: frozenset({S.CALLED, S.SKIPPED}),
    Kind.PROMISE_MISSED: frozenset({S.WAITING, S.CALLED, S.SKIPPED}),
    Kind.CANCELLED_BY_STORE: frozenset({S.CANCELLED}),
}


class Waiting(Protocol):
    """One who waits, as far as the decision goes."""

    @property
    def ticket_id(self) -> UUID: ...
    @property
    def travel_seconds(self) -> int | None: ...
    @property
    def is_untold(self) -> bool: ...
    @property
    def ahead_at_machine(self) -> int | None: ...


def is_news(kind: Kind, status: S) -> bool:
    """Whether a notice is true of a ticket that stands so."""
    return status in _TRUE_WHILE[kind]


def message_id(ticket_id: UUID, kind: Kind, call_seq: int) -> str:
    """Return the name of a fact's message: the same for ever, another for every other fact."""
    name = f"{ticket_id}:{kind.value}:{call_seq}"
    return hashlib.blake2b(name.encode(), digest_size=_MESSAGE_ID_BYTES).hexdigest()


def is_almost_there(
    parties_ahead: int,
    *,
    model: WaitModel,
    travel_seconds: int | None,
    notice_parties: int,
    notice_minutes: int,
) -> bool:
    """Whether it is time to come: few are ahead, or the wait less the way is short."""
    if parties_ahead <= notice_parties:
        return True
    wait = model.estimate(parties_ahead).median_seconds - (travel_seconds or 0)
    return wait < notice_minutes * SECONDS_PER_MINUTE


def told_range(estimate: WaitEstimate) -> tuple[int, int]:
    """Return a wait as people are told it: from … to … minutes in fives, never an empty range."""
    step = STEP_MINUTES * SECONDS_PER_MINUTE
    low = estimate.low_seconds // step * STEP_MINUTES
    high = -(-estimate.high_seconds // step) * STEP_MINUTES
    return low, max(high, low + STEP_MINUTES)


class ToldRange(msgspec.Struct, frozen=True, kw_only=True):
    """A wait as it is said: from … to … of a unit, ready to be read."""

    # "minutes" or "hours": names the words around the figures.
    unit: str
    low: str
    high: str

    @property
    def is_from_now(self) -> bool:
        """Whether it may be over at once, so that its end alone is said."""
        return self.low == "0"


def in_words(low_minutes: int, high_minutes: int) -> ToldRange:
    """Return a range of minutes as it is said."""
    if high_minutes <= HOURS_FROM_MINUTES:
        return ToldRange(unit="minutes", low=str(low_minutes), high=str(high_minutes))
    low, high = low_minutes // HALF_HOUR_MINUTES, -(-high_minutes // HALF_HOUR_MINUTES)
    return ToldRange(unit="hours", low=f"{low / 2:g}", high=f"{high / 2:g}")


def told_wait(estimate: WaitEstimate) -> ToldRange:
    """Return a wait as pages, pads and displays say it."""
    return in_words(*told_range(estimate))


def due(
    order: Sequence[Waiting],
    *,
    model: WaitModel,
    notice_parties: int,
    notice_minutes: int,
    at_machine: int | None = None,
) -> list[tuple[UUID, int]]:
    """Return who of an order of calls is to be told now, each with how many are ahead.

    For `at_machine` see `positions_told`.
    """
    ahead = positions_told(order, at_machine=at_machine)
    return [
        (ticket.ticket_id, ahead[ticket.ticket_id])
        for ticket in order
        if ticket.is_untold
        and is_almost_there(
            ahead[ticket.ticket_id],
            model=model,
            travel_seconds=ticket.travel_seconds,
            notice_parties=notice_parties,
            notice_minutes=notice_minutes,
        )
    ]
