"""What a chat answer is given and what it gives: asks in, replies and dialogue changes out."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.wechat.codec.messages import InboundMessage
from o2o.wechat.codec.replies import AnyReply
from o2o.wechat.official_account import Account

S = TypeVar("S")


class LiveDialogue(msgspec.Struct, frozen=True):
    """Where a fan stands in a multi-step exchange that has not expired."""

    name: str
    step: str
    state: dict[str, Any]

    def state_as(self, kind: type[S]) -> S:
        """Return the kept state as the dialogue's own struct. Raises msgspec.ValidationError."""
        return msgspec.convert(self.state, type=kind, strict=False)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A message or event as it arrived, for what must happen whoever answers it."""

    account: Account
    openid: str
    # None: no person stands behind it (a mass-send result), or one we do not know.
    fan_id: UUID | None
    message: InboundMessage
    now: datetime


# Takes note of many messages with few statements, before they are answered.
Effect = Callable[[Tx, Sequence[Heard]], Awaitable[None]]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One message of one fan, with what is known of the fan."""

    account: Account
    openid: str
    fan_id: UUID
    # None: the fan has not opened a card here.
    member_id: UUID | None
    message: InboundMessage
    # What was typed or said, exactly; empty for everything else.
    text: str
    now: datetime
    locale: str
    # The command that the text names, if somebody answers it.
    command: str | None = None
    dialogue: LiveDialogue | None = None


class KeepDialogue(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a dialogue or go on to its next step; it dies `lasting` after this."""

    name: str
    step: str
    state: Any = None
    lasting: timedelta = timedelta(minutes=10)


class EndDialogue(msgspec.Struct, frozen=True):
    """The exchange is over."""


END_DIALOGUE = EndDialogue()


class Answer(msgspec.Struct, frozen=True):
    """A reply together with what becomes of the fan's dialogue."""

    reply: AnyReply
    dialogue: KeepDialogue | EndDialogue | None = None


# None: this is not mine, ask the next one.
Given = AnyReply | Answer | None
# Answers many asks with few statements: one result per ask, in order.
AnswerMany = Callable[[Tx, Sequence[Ask]], Awaitable[Sequence[Given]]]


def one_at_a_time(answer: Callable[[Tx, Ask], Awaitable[Given]]) -> AnswerMany:
    """Make a set-based answer of one that takes a single ask; for rare messages only."""

    @wraps(answer)
    async def answer_many(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        return [await answer(tx, ask) for ask in asks]

    return answer_many
