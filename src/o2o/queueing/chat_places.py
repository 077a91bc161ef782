"""Stores by chat: which one is meant, and which are near a place that is in none of them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from o2o.queueing.chat_phrases import Phrases, minutes_of
from o2o.queueing.chat_talk import Step, Want, Wish, keep_talk
from o2o.queueing.queries.crowds import Crowd
from o2o.queueing.queries.places import OfferedStore
from o2o.stores.queries import NearStore
from o2o.wechat.chat.asks import Answer, Ask
from o2o.wechat.codec.replies import TextReply

# More than these nobody reads in a chat; the others are found by name or by a place.
LISTED_MAX = 12
NEAREST_TOLD = 3


def ask_store(phrases: Phrases, want: Want, stores: Sequence[OfferedStore]) -> Answer:
    """Ask in which of an account's stores something is wanted."""
    ask = want.ask
    if not stores:
        return Answer(TextReply(phrases.text(ask, "ask.no_stores", account=ask.account.name)))
    listed = stores[:LISTED_MAX]
    told = [
        phrases.text(ask, "ask.store"),
        *(
            phrases.text(ask, "ask.store_option", number=number, store=store.name)
            for number, store in enumerate(listed, start=1)
        ),
    ]
    if len(stores) > len(listed):
        told.append(phrases.text(ask, "ask.store_more", count=len(stores) - len(listed)))
    told.append(phrases.text(ask, "ask.leave"))
    wish = Wish.WAIT if want.talk.wish is Wish.STORE else want.talk.wish
    offered = tuple(store.store_id for store in listed)
    talk = msgspec.structs.replace(want.talk, wish=wish, offered=offered, store_id=None)
    return Answer(TextReply("\n".join(told)), keep_talk(Step.STORE, talk))


def ask_store_near(phrases: Phrases, want: Want) -> Answer:
    """Ask in which of the stores around him somebody is."""
    ask = want.ask
    told = [
        phrases.text(ask, "ask.store_of_near", count=len(want.near)),
        *(
            phrases.text(
                ask,
                "ask.store_option_far",
                number=number,
                store=store.name,
                distance=phrases.distance(ask, store.distance_m),
            )
            for number, store in enumerate(want.near, start=1)
        ),
        phrases.text(ask, "ask.leave"),
    ]
    return Answer(TextReply("\n".join(told)), keep_talk(Step.STORE, want.talk))


def ask_store_again(phrases: Phrases, want: Want) -> Answer:
    """Say which numbers the list has."""
    told = phrases.text(want.ask, "ask.off_list", count=len(want.talk.offered))
    return Answer(TextReply(told), keep_talk(Step.STORE, want.talk))


def tell_nearest(phrases: Phrases, want: Want, crowds: Mapping[UUID, Crowd]) -> Answer:
    """List the stores nearest to somebody who is in none of them, and how they are."""
    ask = want.ask
    if not want.near:
        return Answer(TextReply(phrases.text(ask, "ask.no_stores", account=ask.account.name)))
    told = [
        phrases.text(ask, "place.nowhere"),
        *(
            phrases.text(
                ask,
                "place.nearest",
                store=store.name,
                distance=phrases.distance(ask, store.distance_m),
                state=_state(phrases, ask, crowds[store.store_id]),
            )
            for store in nearest_told(want.near)
        ),
        phrases.text(ask, "place.arrive"),
    ]
    return Answer(TextReply("\n".join(told)))


def nearest_told(near: Sequence[NearStore]) -> Sequence[NearStore]:
    """Return those of the stores around somebody that are named to him."""
    return near[:NEAREST_TOLD]


def _state(phrases: Phrases, ask: Ask, crowd: Crowd) -> str:
    """Say whether a store serves, and how full it is."""
    if not crowd.lines:
        return phrases.text(ask, "place.state_without_queue")
    if not crowd.taking:
        if crowd.is_closed:
            return phrases.opening(ask, crowd, "place.state_closed")
        return phrases.text(ask, "place.state_paused")
    if not crowd.people:
        return phrases.text(ask, "place.state_nobody")
    fullest = max(crowd.taking, key=lambda line: line.people)
    return phrases.text(
        ask, "place.state_waiting", people=crowd.people, minutes=minutes_of(fullest)
    )
