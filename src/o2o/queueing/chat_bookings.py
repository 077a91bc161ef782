"""Bookings by chat: `y#201212100900` books, `q#CODE` calls off, the command tells what there is.

Many asks are read and booked together; a question which store is meant waits for its answer in a
dialogue that keeps what was asked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.statuses_bookings import BookingSource, BookingStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.booking_commands import Booked, BookSlot, ChangeBooking
from o2o.queueing.chat_booking_stores import meant_stores, named_store
from o2o.queueing.chat_booking_words import BookingWords
from o2o.queueing.chat_reading import Reader
from o2o.queueing.chat_talk import keep_place
from o2o.queueing.queries.booking_plans import (
    list_bookable_stores,
    list_free_slots,
    list_plans,
)
from o2o.queueing.queries.bookings import find_mine_by_code, list_live_of, list_mine
from o2o.queueing.rules.booking_asks import BookingAsk, CancelAsk, read_booking_ask, read_cancel_ask
from o2o.queueing.rules.booking_plan import Plan, When, when_is
from o2o.web.copy import Words
from o2o.wechat.chat.asks import (
    Answer,
    Ask,
    Given,
    KeepDialogue,
    one_at_a_time,
)
from o2o.wechat.chat.dialogues import DialogueDefinition
from o2o.wechat.codec.messages import TextMessage, VoiceMessage
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import ChatRouter

COMMAND = "bookings"
DIALOGUE = "queueing.booking"
OFFERED_MAX = 9
MINE_MAX = 5


class StoreQuestion(msgspec.Struct, frozen=True):
    """What the dialogue keeps: the stores that were offered by number, and what was asked."""

    offered: tuple[UUID, ...]
    text: str


class Wish(msgspec.Struct, kw_only=True):
    """A message that asks to book, with the store it is about."""

    ask: Ask
    wanted: BookingAsk
    plan: Plan | None = None
    # Stores of the account among which there is a choice.
    stores: Sequence[UUID] = ()
    command: BookSlot | None = None
    given: Given = None


def register(router: ChatRouter, *, words: Words, public_url: str) -> None:
    """Answer what is typed or said about bookings."""
    answers = BookingAnswers(words, public_url=public_url)
    router.command(COMMAND, one_at_a_time(answers.tell))
    for kind in (TextMessage, VoiceMessage):
        router.on(kind, answers.answer)
    router.dialogue(
        DialogueDefinition(name=DIALOGUE, answer=one_at_a_time(answers.continue_with_store))
    )


class BookingAnswers:
    """Answers of one process."""

    def __init__(self, words: Words, *, public_url: str) -> None:
        """Take texts from `queueing_bookings.toml`."""
        self._say = BookingWords(words, public_url=public_url)
        self._texts = Reader(words).texts

    async def answer(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Book for those who ask to, call off for those who ask that; None for all others."""
        given: list[Given] = [None] * len(asks)
        booking: dict[int, BookingAsk] = {}
        for index, ask in enumerate(asks):
            if (wanted := read_booking_ask(ask.text)) is not None:
                booking[index] = wanted
            elif (cancelling := read_cancel_ask(ask.text)) is not None:
                given[index] = await self._cancel(tx, ask, cancelling)
        wishes = [Wish(ask=asks[index], wanted=wanted) for index, wanted in booking.items()]
        await self._book(tx, wishes)
        for index, wish in zip(booking, wishes, strict=True):
            given[index] = wish.given
        return given

    async def continue_with_store(self, tx: Tx, ask: Ask) -> Given:
        """Take the number of a store as the answer to which one was meant."""
        assert ask.dialogue is not None
        question = ask.dialogue.state_as(StoreQuestion)
        stores = (await list_bookable_stores(tx, [ask.account.id]))[ask.account.id]
        plans = await _plans(tx, stores, now=ask.now)
        names = {store_id: plan.store_name for store_id, plan in plans.items()}
        named = named_store(self._texts, ask.text, offered=question.offered, names=names)
        if isinstance(named, int):
            text = self._say.text(ask, "not_in_list", count=len(question.offered))
            return TextReply(text)
        wanted = read_booking_ask(question.text)
        if named is None or wanted is None:
            return None
        wish = Wish(ask=ask, wanted=wanted)
        await self._book(tx, [wish], store_id=named)
        if not isinstance(wish.given, TextReply):
            return wish.given
        # What is asked next is about this store too.
        return Answer(wish.given, keep_place(named))

    async def tell(self, tx: Tx, ask: Ask) -> Given:
        """Tell the asker's bookings, and how one books."""
        mine = await list_mine(
            tx, fan_id=ask.fan_id, member_id=ask.member_id, account_id=ask.account.id
        )
        live = [one for one in mine if one.status is BookingStatus.BOOKED][:MINE_MAX]
        wish = Wish(ask=ask, wanted=BookingAsk(at=None))
        await self._find_stores(tx, [wish])
        plan = wish.plan or await self._first_plan(tx, wish)
        lines = [self._say.text(ask, "mine" if live else "none")]
        lines += [self._say.of_mine(ask, booking) for booking in live]
        example = await _example(tx, plan, wish) if plan else None
        link = self._say.link(ask)
        if plan is not None and example is not None:
            typed = f"{example.astimezone(plan.zone):%Y%m%d%H%M}"
            lines.append(self._say.raw(ask, "how", example=typed, link=link))
        else:
            lines.append(self._say.raw(ask, "how_none", link=link))
        return TextReply("\n".join(lines))

    async def _cancel(self, tx: Tx, ask: Ask, wanted: CancelAsk) -> Given:
        if wanted.code is None:
            return TextReply(await self._no_code(tx, ask))
        booking = await find_mine_by_code(
            tx, wanted.code, fan_id=ask.fan_id, member_id=ask.member_id
        )
        if booking is None:
            if wanted.is_plain:
                return None
            return TextReply(self._say.text(ask, "not_found", code=wanted.code))
        change = ChangeBooking(
            booking_id=booking.booking_id,
            is_by_guest=True,
            fan_id=ask.fan_id,
            member_id=ask.member_id,
            now=ask.now,
        )
        [done] = await cancel_bookings(tx, [change])
        if isinstance(done, Booked):
            return TextReply(self._say.cancelled(ask, done))
        is_here = booking.status is BookingStatus.ARRIVED
        return TextReply(self._say.text(ask, "arrived" if is_here else "ended"))

    async def _no_code(self, tx: Tx, ask: Ask) -> str:
        own = await list_live_of(
            tx, fan_ids=[ask.fan_id], member_ids=[ask.member_id] if ask.member_id else []
        )
        if not own:
            return self._say.text(ask, "no_code")
        return self._say.text(ask, "no_code_known", code=own[0].code)

    async def _book(self, tx: Tx, wishes: Sequence[Wish], *, store_id: UUID | None = None) -> None:
        """Answer each wish; those whose store is known are booked together."""
        if not wishes:
            return
        await self._find_stores(tx, wishes, store_id=store_id)
        for wish in wishes:
            await self._prepare(tx, wish)
        ready = [wish for wish in wishes if wish.command is not None]
        if not ready:
            return
        done = await book_slots(tx, [wish.command for wish in ready if wish.command])
        for wish, result in zip(ready, done, strict=True):
            wish.given = TextReply(await self._told(tx, wish, result))

    async def _find_stores(
        self, tx: Tx, wishes: Sequence[Wish], *, store_id: UUID | None = None
    ) -> None:
        """Find each wish's store: the one that was chosen, or the one that is meant."""
        stores = await list_bookable_stores(tx, [wish.ask.account.id for wish in wishes])
        asked = [(wish.ask, wish.wanted) for wish in wishes]
        meant = await meant_stores(tx, asked, stores=stores)
        found: dict[int, UUID] = {}
        for index, (wish, guess) in enumerate(zip(wishes, meant, strict=True)):
            wish.stores = stores[wish.ask.account.id]
            chosen = store_id if store_id in wish.stores else guess
            if chosen is not None:
                found[index] = chosen
        plans = await _plans(tx, list(found.values()), now=wishes[0].ask.now)
        for index, chosen in found.items():
            wishes[index].plan = plans.get(chosen)

    async def _prepare(self, tx: Tx, wish: Wish) -> None:
        """Answer what is wrong already, or what has to be asked; else make the command."""
        ask, wanted = wish.ask, wish.wanted
        if not wish.stores:
            text = self._say.text(ask, "no_stores", account=ask.account.name)
            wish.given = TextReply(text)
            return
        plan = wish.plan or await self._first_plan(tx, wish)
        assert plan is not None
        if wanted.at is None or _when(wanted.at, plan, ask) is not When.BOOKABLE:
            wish.given = TextReply(await self._wrong_time(tx, wish, plan))
        elif wish.plan is None:
            wish.given = await self._which_store(tx, wish)
        elif wanted.line is not None and _line_of(plan, wanted.line) is None:
            wish.given = TextReply(await self._no_line(tx, wish, plan))
        else:
            wish.command = _command(ask, wanted, plan)

    async def _wrong_time(self, tx: Tx, wish: Wish, plan: Plan) -> str:
        ask, at = wish.ask, wish.wanted.at
        example = await _example(tx, plan, wish)
        key = "malformed"
        if at is not None:
            key = "past" if _when(at, plan, ask) is When.PAST else "too_far"
        return self._say.with_example(ask, key, example, zone=plan.zone)

    async def _which_store(self, tx: Tx, wish: Wish) -> Answer:
        ask, offered = wish.ask, wish.stores[:OFFERED_MAX]
        plans = await _plans(tx, offered, now=ask.now)
        lines = [self._say.text(ask, "which_store", word=ask.account.place_word)]
        lines += [
            self._say.text(ask, "store_option", number=number, store=plans[store_id].store_name)
            for number, store_id in enumerate(offered, start=1)
        ]
        if (more := len(wish.stores) - len(offered)) > 0:
            link = self._say.link(ask)
            lines.append(self._say.raw(ask, "store_more", count=more, link=link))
        question = StoreQuestion(offered=tuple(offered), text=ask.text)
        return Answer(
            TextReply("\n".join(lines)), KeepDialogue(name=DIALOGUE, step="store", state=question)
        )

    async def _no_line(self, tx: Tx, wish: Wish, plan: Plan) -> str:
        ask = wish.ask
        lines = self._say.raw(ask, "separator").join(
            self._say.raw(
                ask, "line", code=q.code, line=q.name_en if ask.locale == "en" else q.name
            )
            for q in plan.queues
        )
        values = {
            "letter": wish.wanted.line,
            "lines": lines,
            "line": plan.queues[0].code.lower() if plan.queues else "",
        }
        return self._say.with_example(
            ask, "no_line", await _example(tx, plan, wish), zone=plan.zone, **values
        )

    async def _told(self, tx: Tx, wish: Wish, result: Booked | Fact) -> str:
        ask, plan = wish.ask, wish.plan
        assert plan is not None
        if isinstance(result, Booked):
            return self._say.booked(ask, result)
        own = await list_live_of(
            tx, fan_ids=[ask.fan_id], member_ids=[ask.member_id] if ask.member_id else []
        )
        here = [booking for booking in own if booking.store_id == plan.store_id]
        example = await _example(tx, plan, wish)
        return self._say.refused(ask, result, plan=plan, example=example, own=here)

    async def _first_plan(self, tx: Tx, wish: Wish) -> Plan | None:
        plans = await _plans(tx, wish.stores[:1], now=wish.ask.now)
        return next(iter(plans.values()), None)


async def _plans(tx: Tx, store_ids: Sequence[UUID], *, now: datetime) -> Mapping[UUID, Plan]:
    return await list_plans(tx, store_ids, now=now) if store_ids else {}


def _when(at: datetime, plan: Plan, ask: Ask) -> When:
    return when_is(at.replace(tzinfo=plan.zone), now=ask.now, zone=plan.zone)


def _line_of(plan: Plan, letter: str | None) -> UUID | None:
    return next((q.queue_id for q in plan.queues if q.code == letter), None)


def _command(ask: Ask, wanted: BookingAsk, plan: Plan) -> BookSlot:
    assert wanted.at is not None
    return BookSlot(
        request_id=new_id(),
        store_id=plan.store_id,
        starts_at=wanted.at.replace(tzinfo=plan.zone),
        party_size=wanted.party_size,
        queue_id=_line_of(plan, wanted.line),
        source=BookingSource.CHAT,
        member_id=ask.member_id,
        fan_id=ask.fan_id,
        now=ask.now,
    )


async def _example(tx: Tx, plan: Plan, wish: Wish) -> datetime | None:
    """Return a time that is free in truth, for the party that asks where there is one."""
    size: Any = wish.wanted.party_size or plan.party_size_usual
    queue_id = _line_of(plan, wish.wanted.line)
    free = await list_free_slots(tx, plan, now=wish.ask.now, party_size=size, queue_id=queue_id)
    if not free:
        free = await list_free_slots(tx, plan, now=wish.ask.now)
    return free[0].starts_at if free else None
