"""What a hall's machine says and what it is answered: the messages of the bridge."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

LINES_MAX = 26
TICKETS_MAX = 500


class LineNews(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one line stands at the machine."""

    # The line's letter here.
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]$")]
    # Everybody who waits there, our numbers included once the machine has taken them in.
    waiting: Annotated[int, msgspec.Meta(ge=0, le=9999)]
    # The number called last, without its letter, and to which desk.
    called: Annotated[int, msgspec.Meta(ge=1, le=9999)] | None = None
    desk: Annotated[str, msgspec.Meta(min_length=1, max_length=8)] | None = None
    called_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class TicketNews(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one of our numbers that the machine has taken in."""

    ticket_id: UUID
    status: Literal["waiting", "called", "seated", "skipped", "cancelled"]
    # How many are ahead of it, while it waits: without it nobody could be told when to come.
    ahead: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None
    desk: Annotated[str, msgspec.Meta(min_length=1, max_length=8)] | None = None

    def __post_init__(self) -> None:
        """Refuse a number that waits at no place."""
        if self.status == "waiting" and self.ahead is None:
            raise ValueError("A number that waits needs `ahead`")


class BridgeNews(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The machine's state; the whole of it every time, so that a lost message does no harm."""

    # Grows with every message.
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    lines: Annotated[list[LineNews], msgspec.Meta(max_length=LINES_MAX)]
    tickets: Annotated[list[TicketNews], msgspec.Meta(max_length=TICKETS_MAX)] = []


class WaitingNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number taken in WeChat that waits: the machine takes it in."""

    ticket_id: UUID
    line: str
    # As the guest reads it: B019.
    code: str
    party_size: int
    priority: str
    taken_at: datetime


class RefusedNews(msgspec.Struct, frozen=True, kw_only=True):
    """News of a ticket that could not be followed, and why."""

    ticket_id: UUID
    code: str


class BridgeHeard(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine is answered."""

    seq: int
    is_replay: bool
    # Letters that no queue of the store has.
    unknown_lines: list[str]
    refused: list[RefusedNews]
    # All numbers of ours that wait, oldest first.
    tickets: list[WaitingNumber]
    # Numbers that the machine has taken in and that ended here: the guest cancelled.
    ended: list[UUID]
