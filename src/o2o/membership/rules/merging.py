"""Two members who become one: who stays, what they agree to, what the card holds afterwards."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

UNDO_LASTS = timedelta(days=7)


class Joined(msgspec.Struct, frozen=True):
    """A member and since when."""

    member_id: UUID
    joined_at: datetime


def choose_survivor(members: Sequence[Joined]) -> UUID:
    """Return who stays: the one who joined first, the smaller id where they joined at once."""
    return min(members, key=lambda member: (member.joined_at, member.member_id)).member_id


class MarketingAnswer(msgspec.Struct, frozen=True):
    """What a member said to offers by message; a card nobody has claimed was never asked."""

    is_wanted: bool
    was_asked: bool


def wants_marketing(one: MarketingAnswer, other: MarketingAnswer) -> bool:
    """The stricter answer holds: no message unless everybody who was asked said yes."""
    asked = [answer for answer in (one, other) if answer.was_asked]
    return bool(asked) and all(answer.is_wanted for answer in asked)


def excess_fen(balance_fen: int, *, balance_fen_max: int) -> int:
    """Return by how much a card is beyond what one card may hold.

    Nothing is taken away for it: both cards were filled within the limit. Top-ups are refused
    until the balance is below again.
    """
    return max(0, balance_fen - balance_fen_max)


def undo_until(merged_at: datetime) -> datetime:
    """Return until when a merge can be undone."""
    return merged_at + UNDO_LASTS
