"""What the chat keeps of a talk about queues: what is wanted, what was offered, which place."""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from o2o.wechat.chat.asks import Ask, KeepDialogue

# A question that waits for its answer, and the place that was meant last.
TALK = "queueing.talk"
PLACE = "queueing.place"
TALK_LASTS = timedelta(minutes=10)
PLACE_LASTS = timedelta(minutes=30)


class Wish(StrEnum):
    """What somebody wants from a place."""

    WAIT = "wait"
    CALLED = "called"
    TAKE = "take"
    # The priority number for members who are in the store.
    MEMBER_NUMBER = "member_number"
    CANCEL = "cancel"


class Step(StrEnum):
    """Which answer a question waits for."""

    STORE = "store"
    LINE = "line"
    PARTY = "party"
    TICKET = "ticket"


class Talk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a talk has come: what is wanted, and what is known of it already."""

    wish: Wish
    # The stores or tickets that were offered by number, in that order.
    offered: tuple[UUID, ...] = ()
    store_id: UUID | None = None
    # Letter of the line or class.
    letter: str | None = None
    party_size: int | None = None


class Place(msgspec.Struct, frozen=True):
    """The store that was chosen in the talk before."""

    store_id: UUID


def keep_talk(step: Step, talk: Talk) -> KeepDialogue:
    """Return the change that waits for an answer."""
    return KeepDialogue(name=TALK, step=step.value, state=talk, lasting=TALK_LASTS)


def keep_place(store_id: UUID) -> KeepDialogue:
    """Return the change that remembers a place for what is asked next."""
    return KeepDialogue(name=PLACE, step="kept", state=Place(store_id), lasting=PLACE_LASTS)


def kept_store(ask: Ask) -> UUID | None:
    """Return the place that the talk before this message was about."""
    dialogue = ask.dialogue
    if dialogue is None or dialogue.name not in {PLACE, TALK}:
        return None
    return _id_of(dialogue.state)


def _id_of(state: dict[str, Any]) -> UUID | None:
    try:
        return UUID(str(state.get("store_id")))
    except ValueError:
        return None
