"""What the diner's queue pages show: typed views, waits and distances ready to be read."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import QueueKind
from o2o.kernel.geo import Point, distance_m
from o2o.queueing.queries.crowds import Crowd, Line
from o2o.queueing.queries.own_tickets import OwnTicket
from o2o.queueing.rules.notices import ToldRange, told_wait
from o2o.web.forms import Fault

M_PER_KM = 1000
# Nearer than that nobody counts tens of metres.
NEAR_M = 50


class StoreCard(msgspec.Struct, frozen=True, kw_only=True):
    """A store in the list."""

    store_id: UUID
    name: str
    place: str
    timezone: str
    crowd: Crowd
    # "1.2 km" ready to read; None where nobody said where he is.
    distance_text: str | None
    distance_m: float | None

    @property
    def parties(self) -> int:
        """How many parties wait in all lines."""
        return sum(line.parties for line in self.crowd.lines)


class LineChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A line one may join."""

    queue_id: UUID
    code: str
    name: str
    kind: QueueKind
    party_size_min: int
    party_size_max: int
    is_taking: bool
    is_paused: bool
    parties: int
    wait: ToldRange | None

    @classmethod
    def of(cls, line: Line, *, language: str) -> "LineChoice":
        """Show a line in the reader's language."""
        return cls(
            queue_id=line.queue_id,
            code=line.code,
            name=(line.name_en or line.name) if language == "en" else line.name,
            kind=line.kind,
            party_size_min=line.party_size_min,
            party_size_max=line.party_size_max,
            is_taking=line.is_taking,
            is_paused=line.status.value == "paused",
            parties=line.parties,
            wait=told_wait(line.estimate) if line.estimate else None,
        )


class TakeView(msgspec.Struct, frozen=True, kw_only=True):
    """The form by which a number is taken at one store."""

    store_id: UUID
    store_name: str
    address: str
    timezone: str
    crowd: Crowd
    lines: list[LineChoice]
    has_tables: bool
    party_size: int
    party_size_max: int
    # Which line is chosen; None lets the size decide.
    chosen_id: UUID | None
    request_id: UUID
    # The code of the door; empty from elsewhere.
    door: str
    # How near one has to be, ready to read, where one has to say where one is; else None.
    near_text: str | None
    can_choose_store: bool
    own: OwnTicket | None

    @property
    def is_taking(self) -> bool:
        """Whether any line gives numbers."""
        return any(line.is_taking for line in self.lines)

    @property
    def silent_since(self) -> datetime | None:
        """When the hall's own machine was last heard, where one calls and is away."""
        heard = (line.silent_since for line in self.crowd.lines)
        return max((at for at in heard if at is not None), default=None)


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """The page: own numbers first, then a store's lines or the stores to choose from."""

    own: Sequence[OwnTicket]
    take: TakeView | None
    stores: Sequence[StoreCard]
    has_distances: bool
    fault: Fault | None


def distance_words(metres: float) -> tuple[str, str]:
    """Return a key of `queueing_pages.distance` and the figure for it."""
    if metres < NEAR_M:
        return "near", ""
    if metres < M_PER_KM:
        return "m", str(int(round(metres, -1)))
    kilometres = metres / M_PER_KM
    return "km", f"{kilometres:.1f}" if kilometres < 10 else str(round(kilometres))


def metres_between(here: Point | None, store: Point) -> float | None:
    """Return how far a store is, where the person said where he is."""
    return None if here is None else distance_m(here, store)
