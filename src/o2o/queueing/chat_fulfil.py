"""Fulfil what a batch of messages wants: read what is needed once, act at once, say it to each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.geo import Point
from o2o.queueing.actions.move_tickets import move_tickets
from o2o.queueing.actions.take_tickets import take_tickets
from o2o.queueing.chat_held import Move, plan_held, tell_moved
from o2o.queueing.chat_phrases import Phrases
from o2o.queueing.chat_places import (
    ask_store,
    ask_store_again,
    ask_store_near,
    nearest_told,
    tell_nearest,
)
from o2o.queueing.chat_reading import place_sent
from o2o.queueing.chat_takes import Taking, ask_line_again, plan_take, tell_taken
from o2o.queueing.chat_talk import PLACE, TALK, Step, Want, Wish, keep_place, live_talk
from o2o.queueing.chat_waits import tell_called, tell_wait
from o2o.queueing.commands import TakeTicket
from o2o.queueing.queries.crowds import Crowd, list_crowds
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.queries.places import StoreChoice, choose_store, list_offered_stores
from o2o.queueing.queries.tickets_in_chat import HeldTicket, list_held_tickets
from o2o.wechat.chat.asks import END_DIALOGUE, Answer
from o2o.wechat.codec.messages import LocationMessage
from o2o.wechat.codec.replies import TextReply

# Wishes that are about a store, which has to be found where none was named.
IN_STORE = frozenset({Wish.WAIT, Wish.CALLED, Wish.TAKE, Wish.MEMBER_NUMBER})
OF_HELD = frozenset({Wish.STATUS, Wish.CANCEL, Wish.RETURN})
TAKES = frozenset({Wish.TAKE, Wish.MEMBER_NUMBER})
# What costs nobody anything if the store was another.
QUESTIONS = frozenset({Wish.WAIT, Wish.CALLED})
UNKNOWN = StoreChoice(store_id=None, stores=0)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for a batch of wants; by index of the want, by store, by account."""

    choices: Mapping[int, StoreChoice]
    store_ids: Mapping[int, UUID]
    crowds: Mapping[UUID, Crowd]
    offered: Mapping[UUID, Sequence[Any]]
    held: Mapping[int, Sequence[HeldTicket]]


async def fulfil(tx: Tx, wants: Sequence[Want], *, phrases: Phrases) -> list[Answer]:
    """Answer each want, in order; a bounded number of statements for any number of them."""
    known = await _look(tx, wants)
    planned = [_plan(phrases, want, index=index, known=known) for index, want in enumerate(wants)]
    taken = await _take(tx, planned)
    moved = await _move(tx, planned)
    answers: list[Answer] = []
    for index, (want, plan) in enumerate(zip(wants, planned, strict=True)):
        if isinstance(plan, TakeTicket):
            taking = _taking(want, index, known)
            answer = tell_taken(phrases, taking, taken[index])
        elif isinstance(plan, Answer):
            answer = plan
        else:
            answer = _tell_moved(phrases, want, plan, held=known.held[index], moved=moved[index])
        answers.append(
            _settled(
                answer,
                want,
                store_id=known.store_ids.get(index),
                choice=known.choices.get(index),
            )
        )
    return answers


async def _look(tx: Tx, wants: Sequence[Want]) -> Known:
    """Read what is needed, each kind in one go."""
    placed = [i for i, want in enumerate(wants) if want.talk.wish in IN_STORE]
    found = await choose_store(tx, [wants[i].ask for i in placed])
    choices = dict(zip(placed, found, strict=True))
    store_ids: dict[int, UUID] = {}
    for index, choice in choices.items():
        talk = wants[index].talk
        # Somebody between stores says himself in which of them he is.
        guess = choice.store_id if talk.wish is not Wish.MEMBER_NUMBER else None
        store_id = talk.store_id or guess
        if store_id is None and talk.wish in QUESTIONS and not wants[index].near:
            # A question is answered at once and by name; whoever meant another store says so.
            store_id = choice.busiest_id
            choices[index] = msgspec.structs.replace(choice, store_id=store_id, is_guess=True)
        if store_id is not None and not _is_off_stores(wants[index]):
            store_ids[index] = store_id
    near = [store.store_id for want in wants for store in nearest_told(want.near)]
    now = wants[0].ask.now
    crowds = await list_crowds(tx, [*store_ids.values(), *near], now=now)
    lost = {
        want.ask.account.id
        for index, want in enumerate(wants)
        if want.talk.wish is Wish.STORE
        or (index in choices and index not in store_ids and not want.near)
    }
    offered = await list_offered_stores(tx, sorted(lost)) if lost else {}
    holding = [i for i, want in enumerate(wants) if want.talk.wish in OF_HELD | TAKES | {Wish.WAIT}]
    held = await list_held_tickets(tx, [wants[i].ask for i in holding])
    return Known(
        choices=choices,
        store_ids=store_ids,
        crowds=crowds,
        offered=offered,
        held=dict(zip(holding, held, strict=True)),
    )


def _plan(phrases: Phrases, want: Want, *, index: int, known: Known) -> Answer | TakeTicket | Move:
    """Return what is to be done, or what is answered without doing anything."""
    wish = want.talk.wish
    if wish in OF_HELD:
        return plan_held(phrases, want, known.held[index])
    if wish is Wish.NEAREST:
        return tell_nearest(phrases, want, known.crowds)
    store_id = known.store_ids.get(index)
    crowd = known.crowds.get(store_id) if store_id is not None else None
    if crowd is None:
        return _ask_store(phrases, want, known)
    return _plan_in_store(phrases, want, index=index, known=known, crowd=crowd)


def _ask_store(phrases: Phrases, want: Want, known: Known) -> Answer:
    if _is_off_stores(want):
        return ask_store_again(phrases, want)
    if want.near:
        return ask_store_near(phrases, want)
    return ask_store(phrases, want, known.offered.get(want.ask.account.id, ()))


def _plan_in_store(
    phrases: Phrases, want: Want, *, index: int, known: Known, crowd: Crowd
) -> Answer | TakeTicket:
    ask, talk = want.ask, want.talk
    if not crowd.lines:
        return _said(phrases.text(ask, "place.in_store", store=crowd.name))
    if talk.wish is Wish.WAIT:
        choice = known.choices[index]
        if talk.store_id is not None:
            choice = msgspec.structs.replace(choice, is_guess=False)
        held = known.held[index]
        return _said(tell_wait(phrases, ask, crowd=crowd, choice=choice, held=held))
    if talk.wish is Wish.CALLED:
        assert talk.letter is not None
        told = tell_called(phrases, ask, crowd=crowd, letter=talk.letter)
        choice = known.choices[index]
        if talk.store_id is None and choice.store_id == choice.busiest_id and choice.is_guess:
            told += "\n" + phrases.text(ask, "wait.guessed", store=crowd.name)
        return _said(told)
    if want.is_off_list:
        return ask_line_again(phrases, want, crowd)
    return plan_take(phrases, _taking(want, index, known))


def _taking(want: Want, index: int, known: Known) -> Taking:
    choice = known.choices[index]
    return Taking(
        want=want,
        crowd=known.crowds[known.store_ids[index]],
        held=known.held[index],
        is_guess=choice.is_guess and want.talk.store_id is None,
        spot=_spot(want, choice),
    )


def _spot(want: Want, choice: StoreChoice) -> Point | None:
    """Return where somebody is: by this message, or by one of a moment ago."""
    if isinstance(want.ask.message, LocationMessage):
        return place_sent(want.ask)
    return choice.spot


async def _take(tx: Tx, planned: Sequence[Any]) -> dict[int, Any]:
    wanted = [i for i, plan in enumerate(planned) if isinstance(plan, TakeTicket)]
    taken = await take_tickets(tx, [planned[i] for i in wanted]) if wanted else []
    return dict(zip(wanted, taken, strict=True))


async def _move(tx: Tx, planned: Sequence[Any]) -> dict[int, tuple[Any, Any]]:
    """Move tickets; return with each outcome the wait of who is in the line again."""
    wanted = [i for i, plan in enumerate(planned) if isinstance(plan, tuple)]
    if not wanted:
        return {}
    moved = await move_tickets(tx, [planned[i] for i in wanted])
    back = {
        one.queue_id
        for one in moved
        if not isinstance(one, Exception) and one.parties_ahead is not None
    }
    now = planned[wanted[0]][1].now
    models = await estimate_waits(tx, sorted(back), now=now) if back else {}
    return {
        index: (
            one,
            models[one.queue_id].estimate(one.parties_ahead)
            if not isinstance(one, Exception)
            and one.queue_id in models
            and one.parties_ahead is not None
            else None,
        )
        for index, one in zip(wanted, moved, strict=True)
    }


def _tell_moved(
    phrases: Phrases,
    want: Want,
    plan: Move,
    *,
    held: Sequence[HeldTicket],
    moved: tuple[Any, Any],
) -> Answer:
    outcome, estimate = moved
    [ticket] = [one for one in held if one.ticket_id == plan[1].ticket_id]
    wait = phrases.wait(want.ask, estimate)
    return tell_moved(phrases, want, ticket=ticket, wait=wait, outcome=outcome)


def _settled(
    answer: Answer, want: Want, *, store_id: UUID | None, choice: StoreChoice | None
) -> Answer:
    """Keep the place for what is asked next, and leave talks of others alone."""
    if answer.dialogue is not END_DIALOGUE:
        return answer
    live = want.ask.dialogue
    if live is not None and live.name not in {TALK, PLACE}:
        return msgspec.structs.replace(answer, dialogue=None)
    is_pending = live_talk(want.ask) is not None and not want.is_answer
    if is_pending and want.talk.wish not in TAKES:
        # Asked in between: the question of ours waits on.
        return msgspec.structs.replace(answer, dialogue=None)
    if store_id is not None and choice is not None and choice.stores > 1 and _is_said(want):
        return msgspec.structs.replace(answer, dialogue=keep_place(store_id))
    if live is not None and live.name == TALK:
        return answer
    # The place that was chosen before stays the one that is meant.
    return msgspec.structs.replace(answer, dialogue=None)


def _is_said(want: Want) -> bool:
    """Whether the person said himself which store he means."""
    return want.is_answer or want.talk.wish is Wish.MEMBER_NUMBER


def _is_off_stores(want: Want) -> bool:
    """Whether a number was said that is not in the list of stores."""
    talk = live_talk(want.ask)
    return want.is_off_list and talk is not None and talk[0] is Step.STORE


def _said(told: str) -> Answer:
    return Answer(TextReply(told), END_DIALOGUE)
