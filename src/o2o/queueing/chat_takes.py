"""Numbers by chat: what is still to be asked, what is taken, and how that is told."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from o2o.crm.statuses import QueueKind, QueueStatus, TicketSource
from o2o.kernel.errors import Fact
from o2o.kernel.geo import Point
from o2o.queueing.chat_held import tell_held
from o2o.queueing.chat_phrases import Phrases
from o2o.queueing.chat_talk import Step, Want, Wish, keep_talk, request_of
from o2o.queueing.chat_waits import tell_lines
from o2o.queueing.commands import TakenTicket, TakeTicket
from o2o.queueing.errors import (
    LocationNeeded,
    PartySizeOutOfRange,
    QueueNotOpen,
    QueuePaused,
    TicketAlreadyActive,
    TooFarAway,
)
from o2o.queueing.queries.crowds import Crowd, Line
from o2o.queueing.queries.tickets_in_chat import HeldTicket
from o2o.queueing.rules.taking import fitting, sizes_of
from o2o.wechat.chat.asks import END_DIALOGUE, Answer
from o2o.wechat.codec.replies import TextReply

# What a line of service is asked for by one person, unless he says otherwise.
ALONE = 1


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a number whose store is known."""

    want: Want
    crowd: Crowd
    # The numbers that the person holds already.
    held: Sequence[HeldTicket]
    # The store follows from what he did before, not from what he said.
    is_guess: bool
    # Where he is, as far as he said, GCJ-02.
    spot: Point | None


def plan_take(phrases: Phrases, taking: Taking) -> Answer | TakeTicket:
    """Return the number to take, or what is answered instead: a question or a refusal."""
    want, crowd = taking.want, taking.crowd
    ask = want.ask
    for ticket in taking.held:
        if ticket.store_id == crowd.store_id and ticket.is_active:
            return _end(tell_held(phrases, want, ticket, key="take.already"))
    if not crowd.taking:
        return _end(phrases.not_taking(ask, crowd))
    if want.talk.wish is Wish.MEMBER_NUMBER and ask.member_id is None:
        return _end(phrases.linked(ask, "take.card_needed", store=crowd.name))
    return _plan_line(phrases, taking)


def _plan_line(phrases: Phrases, taking: Taking) -> Answer | TakeTicket:
    """Find the line that is meant; that of a table follows from the size of the party."""
    want, crowd = taking.want, taking.crowd
    letter = want.talk.letter
    if letter is not None:
        line = crowd.line(letter)
        if line is None:
            return _end(tell_lines(phrases, want.ask, crowd=crowd, letter=letter))
        return _plan_in(phrases, taking, line)
    if crowd.has_tables:
        return _plan_table(phrases, taking)
    if len(crowd.taking) == 1:
        return _plan_in(phrases, taking, crowd.taking[0])
    return _ask_line(phrases, want, crowd)


def _plan_in(phrases: Phrases, taking: Taking, line: Line) -> Answer | TakeTicket:
    """Go on in a line that is known."""
    want, crowd = taking.want, taking.crowd
    if not line.is_taking:
        key = "take.paused_line" if line.status is QueueStatus.PAUSED else "take.closed_line"
        return _end(phrases.text(want.ask, key, line=phrases.line(want.ask, line)))
    if crowd.has_tables and want.talk.party_size is None:
        return _ask_party(phrases, want, crowd)
    size = _size_in(line, want)
    if not fitting([line], size):
        return _ask_size_again(phrases, want, crowd, lines=(line,))
    return _take(taking, line.queue_id, size)


def _size_in(line: Line | None, want: Want) -> int:
    """Return for how many a number is: for one where each serves one, however many came along."""
    said = want.talk.party_size
    if line is not None and line.kind is QueueKind.SERVICE_LINE and line.party_size_max == ALONE:
        return ALONE
    return ALONE if said is None else said


def _plan_table(phrases: Phrases, taking: Taking) -> Answer | TakeTicket:
    """Go on where the class follows from the size of the party."""
    want, crowd = taking.want, taking.crowd
    size = want.talk.party_size
    if size is None:
        return _ask_party(phrases, want, crowd)
    if not fitting(crowd.lines, size):
        return _ask_size_again(phrases, want, crowd, lines=crowd.lines)
    # The store chooses among the classes that fit, and says so if none of them gives numbers.
    return _take(taking, None, size)


def _take(taking: Taking, queue_id: UUID | None, size: int) -> TakeTicket:
    ask = taking.want.ask
    is_there = taking.want.talk.wish is Wish.MEMBER_NUMBER
    return TakeTicket(
        request_id=request_of(ask, "take"),
        store_id=taking.crowd.store_id,
        queue_id=queue_id,
        party_size=size,
        source=TicketSource.LOCATION if is_there else TicketSource.CHAT,
        member_id=ask.member_id,
        fan_id=ask.fan_id,
        at=taking.spot,
        now=ask.now,
    )


def _ask_party(phrases: Phrases, want: Want, crowd: Crowd) -> Answer:
    talk = msgspec.structs.replace(want.talk, store_id=crowd.store_id, offered=())
    told = [
        phrases.text(want.ask, "ask.party", store=crowd.name),
        phrases.text(want.ask, "ask.leave"),
    ]
    return Answer(TextReply("\n".join(told)), keep_talk(Step.PARTY, talk))


def _ask_size_again(phrases: Phrases, want: Want, crowd: Crowd, *, lines: Sequence[Line]) -> Answer:
    least, most = sizes_of(lines)
    told = phrases.text(want.ask, "ask.party_size", least=least, most=most)
    talk = msgspec.structs.replace(want.talk, store_id=crowd.store_id, party_size=None, offered=())
    return Answer(TextReply(told), keep_talk(Step.PARTY, talk))


def _ask_line(phrases: Phrases, want: Want, crowd: Crowd, *, key: str = "ask.line") -> Answer:
    """Ask for the letter of one of the lines that give numbers."""
    ask = want.ask
    letters = "".join(line.code for line in crowd.taking)
    talk = msgspec.structs.replace(
        want.talk, store_id=crowd.store_id, letters=letters, letter=None, offered=()
    )
    told = [
        phrases.text(ask, key, store=crowd.name),
        *(phrases.line_state(ask, line) for line in crowd.taking),
        phrases.text(ask, "ask.leave"),
    ]
    return Answer(TextReply("\n".join(told)), keep_talk(Step.LINE, talk))


def ask_line_again(phrases: Phrases, want: Want, crowd: Crowd) -> Answer:
    """Say that there is no such line among those that were offered."""
    if not crowd.taking:
        return _end(phrases.not_taking(want.ask, crowd))
    return _ask_line(phrases, want, crowd, key="ask.off_list_lines")


def tell_taken(phrases: Phrases, taking: Taking, outcome: TakenTicket | Fact) -> Answer:
    """Say which number somebody got, or why none."""
    want, crowd = taking.want, taking.crowd
    ask = want.ask
    if isinstance(outcome, Fact):
        return _refused(phrases, taking, outcome)
    line = next((one for one in crowd.lines if one.queue_id == outcome.queue_id), None)
    is_special = ask.member_id is not None and crowd.has_member_priority
    told = [
        phrases.text(
            ask,
            "take.done_member" if is_special else "take.done",
            code=outcome.code,
            line=phrases.line(ask, line) if line else "",
        ),
        phrases.text(ask, "held.at", store=crowd.name, party=_size_in(line, want)),
        phrases.ahead(
            ask,
            outcome.parties_ahead,
            phrases.wait(ask, outcome.estimate),
            has_tables=crowd.has_tables,
        ),
        phrases.follow(ask, outcome.ticket_id),
    ]
    if taking.is_guess:
        told.append(phrases.text(ask, "take.guessed"))
    return _end("\n".join(told))


def _refused(phrases: Phrases, taking: Taking, fact: Fact) -> Answer:
    """Say in the words of the chat why no number was given."""
    want, crowd = taking.want, taking.crowd
    ask = want.ask
    match fact:
        case PartySizeOutOfRange():
            return _ask_size_again(phrases, want, crowd, lines=crowd.lines)
        case QueuePaused() | QueueNotOpen():
            # The classes that fit give no numbers, though others do.
            key = "take.paused_line" if isinstance(fact, QueuePaused) else "take.closed_line"
            fits = fitting(crowd.lines, want.talk.party_size or ALONE)
            name = phrases.line(ask, fits[0]) if fits else crowd.name
            told = phrases.text(ask, key, line=name)
        case TicketAlreadyActive():
            # Taken in this very moment, by another message or on a page.
            told = _raced(phrases, taking, fact)
        case LocationNeeded():
            distance = phrases.distance(ask, fact.detail["distance_m_max"])
            told = phrases.text(ask, "take.location_needed", store=crowd.name, distance=distance)
        case TooFarAway():
            told = phrases.text(
                ask,
                "take.too_far",
                store=crowd.name,
                distance=phrases.distance(ask, fact.distance_m),
                most=phrases.distance(ask, fact.distance_m_max),
            )
        case _:
            told = phrases.text(ask, "take.failed", reason=phrases.reason(ask, fact))
    return _end(told)


def _raced(phrases: Phrases, taking: Taking, fact: TicketAlreadyActive) -> str:
    ask, crowd = taking.want.ask, taking.crowd
    line = crowd.line(fact.number[:1])
    name = phrases.line(ask, line) if line is not None else ""
    head = phrases.text(ask, "take.already", store=crowd.name, code=fact.number, line=name)
    return f"{head}\n{phrases.follow(ask, fact.ticket_id)}"


def _end(told: str) -> Answer:
    return Answer(TextReply(told), END_DIALOGUE)
