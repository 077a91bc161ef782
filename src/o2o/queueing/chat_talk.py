"""What the chat keeps of a talk about queues: what is wanted, what was offered, which place."""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

import msgspec

from o2o.kernel.ids import RequestId
from o2o.stores.queries import NearStore
from o2o.wechat.chat.asks import Ask, KeepDialogue
from o2o.wechat.codec.dedupe import message_key

# A question that waits for its answer, and the place that was meant last.
TALK = "queueing.talk"
PLACE = "queueing.place"
TALK_LASTS = timedelta(minutes=10)
PLACE_LASTS = timedelta(minutes=30)
# Ours alone, drawn once.
_REQUESTS = UUID("5e0c3a0a-9f0b-5c3e-8a57-1b7d9a4f2c61")


class Wish(StrEnum):
    """What somebody wants from a place."""

    WAIT = "wait"
    CALLED = "called"
    TAKE = "take"
    # The priority number for members who are in the store.
    MEMBER_NUMBER = "member_number"
    # How the numbers stand that somebody holds.
    STATUS = "status"
    CANCEL = "cancel"
    # Back into the line after a miss.
    RETURN = "return"
    # Another store is meant than the one that was taken for meant.
    STORE = "store"
    # Where the stores are that are nearest to a place in none of them.
    NEAREST = "nearest"


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
    # The letters of the lines that were offered, in that order.
    letters: str = ""
    # Letter of the line or class.
    letter: str | None = None
    party_size: int | None = None


class Place(msgspec.Struct, frozen=True):
    """The store that was chosen in the talk before."""

    store_id: UUID


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """One ask, read: what is wanted, and whether it goes on with a talk that was waiting."""

    ask: Ask
    talk: Talk
    # The answer to a question of ours: the talk that waited ends or goes on with it.
    is_answer: bool = False
    # The stores around the place that was sent, nearest first.
    near: tuple[NearStore, ...] = ()
    # The number that was said is in no list of ours.
    is_off_list: bool = False


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


def live_talk(ask: Ask) -> tuple[Step, Talk] | None:
    """Return the question that waits for an answer of this person."""
    dialogue = ask.dialogue
    if dialogue is None or dialogue.name != TALK:
        return None
    try:
        return Step(dialogue.step), dialogue.state_as(Talk)
    except (ValueError, msgspec.ValidationError):
        # Kept by another version of this program: the question is asked anew.
        return None


def request_of(ask: Ask, kind: str) -> RequestId:
    """Return the name of the intention that a message is: however often it comes, the same."""
    return RequestId(uuid5(_REQUESTS, f"{kind}:{ask.account.id}:{message_key(ask.message).hex()}"))
