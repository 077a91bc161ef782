"""Who listens to which event and who performs which errand: a registry filled at wiring time."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.events import Event

E = TypeVar("E", bound=Event)
Subscriber = Callable[[Tx, Any], Awaitable[None]]
ManySubscriber = Callable[[Tx, Sequence[Any]], Awaitable[None]]
Performer = Callable[[dict[str, Any]], Awaitable[None]]
ManyPerformer = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]
Job = Callable[[Tx, datetime], Awaitable[None]]


class Later(Exception):
    """An errand cannot be done now; try again after some seconds."""

    def __init__(self, reason: str, *, after_seconds: float | None = None) -> None:
        """Keep the reason for the log and the wait, if the other side named one."""
        super().__init__(reason)
        self.after_seconds = after_seconds


class Never(Exception):
    """An errand can never be done; it becomes a dead letter at once."""


class Subscription(msgspec.Struct, frozen=True):
    """A named listener of one event."""

    name: str
    topic: str
    handle: Subscriber


class ManySubscription(msgspec.Struct, frozen=True):
    """A named listener that takes all events of a kind that are in hand."""

    name: str
    topic: str
    handle: ManySubscriber


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """What one lane of the relay carries: `only` some topics, or all `without` those."""

    only: frozenset[str] | None = None
    without: frozenset[str] | None = None
    # Errands may take seconds each; events only write.
    are_errands: bool = False
    is_urgent: bool = False


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """The lanes of a relay, each topic in one.

    An event never waits behind an answer of another house, nor what is urgent behind what is not.
    """

    urgent_events: Topics
    urgent_errands: Topics
    errands: Topics
    # And the errands that wait for nobody.
    events: Topics


class Timetable(msgspec.Struct, frozen=True):
    """Work that comes round every so many seconds."""

    name: str
    every_seconds: int
    run: Job


class Registry:
    """What the relay knows how to do. One per program, filled by `app.wiring`."""

    def __init__(self) -> None:
        """Start empty."""
        self.subscriptions: dict[str, list[Subscription]] = {}
        self.many_subscriptions: dict[str, list[ManySubscription]] = {}
        self.performers: dict[str, Performer] = {}
        self.many_performers: dict[str, ManyPerformer] = {}
        self._urgent_events: set[str] = set()
        self._urgent_errands: set[str] = set()
        self.timetables: dict[str, Timetable] = {}

    def subscribe(self, event: type[E], handle: Callable[[Tx, E], Awaitable[None]]) -> None:
        """Call `handle` in a transaction of its own, once per event, after the event's commit."""
        name = f"{handle.__module__}.{handle.__name__}"
        listeners = self.subscriptions.setdefault(event.name, [])
        if all(listener.name != name for listener in listeners):
            listeners.append(Subscription(name, event.name, handle))

    def subscribe_many(
        self,
        event: type[E],
        handle: Callable[[Tx, Sequence[E]], Awaitable[None]],
        *,
        is_urgent: bool = False,
    ) -> None:
        """As `subscribe`, with all such events in hand in one transaction: for swarms.

        Where that fails, each event is handled in a transaction of its own. Urgent events wait for
        no others, nor for other listeners than their own.
        """
        name = f"{handle.__module__}.{handle.__name__}"
        listeners = self.many_subscriptions.setdefault(event.name, [])
        if all(listener.name != name for listener in listeners):
            listeners.append(ManySubscription(name, event.name, handle))
        if is_urgent:
            self._urgent_events.add(event.name)

    @property
    def lanes(self) -> Lanes:
        """Return how a relay's lanes share all topics."""
        events, errands = frozenset(self._urgent_events), frozenset(self._urgent_errands)
        others = frozenset(self.performers) - errands
        return Lanes(
            urgent_events=Topics(only=events, is_urgent=True),
            urgent_errands=Topics(only=errands, are_errands=True, is_urgent=True),
            errands=Topics(only=others, are_errands=True),
            events=Topics(without=events | errands | others),
        )

    def perform_many(self, topic: str, performer: ManyPerformer) -> None:
        """Let `performer` do all errands of a topic in hand at once; it waits for nobody."""
        self.many_performers[topic] = performer

    def perform(self, topic: str, performer: Performer, *, is_urgent: bool = False) -> None:
        """Let `performer` do the errands of a topic, outside any transaction, at least once.

        Urgent ones have a lane of their own: they wait for no others.
        """
        self.performers[topic] = performer
        if is_urgent:
            self._urgent_errands.add(topic)

    def schedule(self, name: str, *, every_seconds: int, run: Job) -> None:
        """Run a job again and again; one process at a time holds its lease."""
        self.timetables[name] = Timetable(name, every_seconds, run)
