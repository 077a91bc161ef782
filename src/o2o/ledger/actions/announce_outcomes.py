"""Announce outcomes: publish one event for each command that did something new."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.events import Event
from o2o.ledger.journal import Done, Intention

C = TypeVar("C", bound=Intention)


def new_work(commands: Sequence[C], outcomes: Sequence[Done | Fact]) -> list[tuple[C, Done]]:
    """Return the commands that moved something now, with what they did."""
    return [
        (command, outcome)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Done) and not outcome.is_replay
    ]


async def announce_outcomes(
    tx: Tx,
    commands: Sequence[C],
    outcomes: Sequence[Done | Fact],
    *,
    event_of: Callable[[C, Done], Any],
) -> None:
    """Publish what `event_of` makes of each command that moved something now."""
    done = new_work(commands, outcomes)
    events: list[Event] = [event_of(command, outcome) for command, outcome in done]
    if events:
        await publish(tx, *events, now=max(command.now for command, _ in done))
