"""The numbers that somebody holds, by chat: how they stand, giving one up, back after a miss."""

from collections.abc import Sequence
from uuid import UUID

from o2o.kernel.errors import Fact
from o2o.queueing.chat_phrases import Phrases
from o2o.queueing.chat_talk import Step, Talk, Want, Wish, keep_talk, request_of
from o2o.queueing.commands import MovedTicket, MoveTicket, Verb
from o2o.queueing.errors import ReturnsExhausted
from o2o.queueing.queries.tickets_in_chat import HeldTicket
from o2o.queueing.rules.reply_sizes import as_many_as_fit
from o2o.wechat.chat.asks import END_DIALOGUE, Answer
from o2o.wechat.codec.reply_types import TEXT_SIZE_MAX, TextReply

Move = tuple[Verb, MoveTicket]


def plan_held(phrases: Phrases, want: Want, held: Sequence[HeldTicket]) -> Answer | Move:
    """Return the move that is wanted, or what is answered instead."""
    ask, wish = want.ask, want.talk.wish
    if wish is Wish.RETURN:
        return _plan_return(phrases, want, held)
    if not held:
        return _end(phrases.text(ask, "held.none"))
    if wish is Wish.STATUS:
        standing = [tell_held(phrases, want, ticket) for ticket in held]
        fits = as_many_as_fit(standing, separator="\n\n", size_max=TEXT_SIZE_MAX)
        return Answer(TextReply("\n\n".join(fits)))
    if want.is_off_list:
        told = phrases.text(ask, "ask.off_list", count=len(want.talk.offered))
        return Answer(TextReply(told), keep_talk(Step.TICKET, want.talk))
    return _plan_cancel(phrases, want, held)


def _plan_return(phrases: Phrases, want: Want, held: Sequence[HeldTicket]) -> Answer | Move:
    missed = [ticket for ticket in held if not ticket.is_active]
    if not missed:
        return _end(phrases.text(want.ask, "held.not_missed"))
    return Verb.RETURN, _move(want, missed[0].ticket_id)


def _plan_cancel(phrases: Phrases, want: Want, held: Sequence[HeldTicket]) -> Answer | Move:
    ask = want.ask
    if want.is_answer:
        [ticket_id] = want.talk.offered
        # It may have been called and served while the question stood.
        held = [ticket for ticket in held if ticket.ticket_id == ticket_id]
        if not held:
            return _end(phrases.text(ask, "held.none"))
    if len(held) == 1:
        return Verb.CANCEL, _move(want, held[0].ticket_id)
    told = [
        phrases.text(ask, "ask.ticket", count=len(held)),
        *(
            phrases.text(
                ask,
                "ask.ticket_option",
                number=number,
                code=ticket.code,
                line=phrases.line_of(ask, ticket),
                store=ticket.store_name,
            )
            for number, ticket in enumerate(held, start=1)
        ),
    ]
    talk = Talk(wish=Wish.CANCEL, offered=tuple(ticket.ticket_id for ticket in held))
    return Answer(TextReply("\n".join(told)), keep_talk(Step.TICKET, talk))


def _move(want: Want, ticket_id: UUID) -> MoveTicket:
    ask = want.ask
    return MoveTicket(
        request_id=request_of(ask, want.talk.wish.value),
        ticket_id=ticket_id,
        is_by_guest=True,
        fan_id=ask.fan_id,
        member_id=ask.member_id,
        now=ask.now,
    )


def tell_moved(
    phrases: Phrases,
    want: Want,
    *,
    ticket: HeldTicket,
    wait: str | None,
    outcome: MovedTicket | Fact,
) -> Answer:
    """Say what became of a number, or why nothing did; `wait` where it is in the line again."""
    ask = want.ask
    named = {"code": ticket.code, "store": ticket.store_name}
    if isinstance(outcome, ReturnsExhausted):
        return _end(phrases.text(ask, "held.returns_exhausted", **named))
    if isinstance(outcome, Fact):
        return _end(phrases.text(ask, "held.failed", reason=phrases.reason(ask, outcome)))
    if want.talk.wish is Wish.CANCEL:
        return _end(phrases.text(ask, "held.cancelled", **named))
    line = phrases.line_of(ask, ticket)
    told = [phrases.text(ask, "held.returned", code=outcome.code, line=line)]
    if outcome.parties_ahead is not None and wait is not None:
        told.append(phrases.ahead(ask, outcome.parties_ahead, wait, has_tables=ticket.has_table))
    told.append(phrases.follow(ask, outcome.ticket_id))
    return _end("\n".join(told))


def tell_held(phrases: Phrases, want: Want, ticket: HeldTicket, *, key: str = "held.status") -> str:
    """Say how a number stands that somebody holds."""
    ask = want.ask
    head = phrases.text(
        ask, key, code=ticket.code, line=phrases.line_of(ask, ticket), store=ticket.store_name
    )
    return f"{head}\n{phrases.standing(ask, ticket)}"


def _end(told: str) -> Answer:
    return Answer(TextReply(told), END_DIALOGUE)
