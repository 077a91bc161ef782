"""What the chat answers to `1` and `11b`: how many wait and how long, which number is called."""

from collections.abc import Sequence

from o2o.queueing.chat_phrases import Phrases, minutes_of
from o2o.queueing.queries.crowds import Crowd, Line
from o2o.queueing.queries.places import StoreChoice
from o2o.queueing.queries.tickets_in_chat import HeldTicket
from o2o.queueing.rules.reply_sizes import as_many_as_fit
from o2o.queueing.rules.taking import fitting
from o2o.wechat.chat.asks import Ask
from o2o.wechat.codec.reply_types import TEXT_SIZE_MAX


def tell_wait(
    phrases: Phrases,
    ask: Ask,
    *,
    crowd: Crowd,
    choice: StoreChoice,
    held: Sequence[HeldTicket],
) -> str:
    """Say how many people wait in a store and how long one who joins now would."""
    told = [_headline(phrases, ask, crowd=crowd, choice=choice, held=held)]
    states: list[str] = []
    if crowd.taking and crowd.people and len(crowd.lines) > 1:
        states = [phrases.line_state(ask, line) for line in crowd.lines]
    silent = phrases.silence(ask, crowd)
    if silent:
        told.append(silent)
    if choice.is_guess:
        told.append(phrases.text(ask, "wait.guessed", store=crowd.name))
    left = TEXT_SIZE_MAX - len("\n".join([*told, ""]).encode())
    return "\n".join([told[0], *as_many_as_fit(states, separator="\n", size_max=left), *told[1:]])


def tell_called(phrases: Phrases, ask: Ask, *, crowd: Crowd, letter: str) -> str:
    """Say which number of a line is called now, or which lines there are."""
    line = crowd.line(letter)
    if line is None:
        return tell_lines(phrases, ask, crowd=crowd, letter=letter)
    # Names may end with what the sentence says anyway.
    name = phrases.line(ask, line).removesuffix(phrases.text(ask, "called.line_suffix"))
    if line.last_number is None:
        return phrases.text(ask, "called.nothing_yet", line=name)
    told = phrases.text(ask, "called.number", line=name, number=f"{line.last_number:03d}")
    silent = phrases.silence(ask, crowd)
    return f"{told}\n{silent}" if silent else told


def tell_lines(phrases: Phrases, ask: Ask, *, crowd: Crowd, letter: str) -> str:
    """Say that there is no line of that letter, and which ones there are."""
    codes = [line.code for line in crowd.lines]
    example = "B" if "B" in codes else codes[0]
    lines = phrases.text(ask, "called.separator").join(
        phrases.text(ask, "called.line", code=line.code, line=phrases.line(ask, line))
        for line in crowd.lines
    )
    return phrases.raw(ask, "called.unknown", letter=letter, lines=lines, example=example.lower())


def _headline(
    phrases: Phrases,
    ask: Ask,
    *,
    crowd: Crowd,
    choice: StoreChoice,
    held: Sequence[HeldTicket],
) -> str:
    if not crowd.taking:
        return phrases.not_taking(ask, crowd)
    if not crowd.people:
        return phrases.text(ask, "wait.nobody")
    joined = line_to_join(crowd, choice=choice, held=held)
    return phrases.text(ask, "wait.waiting", people=crowd.people, minutes=minutes_of(joined))


def line_to_join(crowd: Crowd, *, choice: StoreChoice, held: Sequence[HeldTicket]) -> Line:
    """Return the line that somebody would join: where he stands, where he stood or fits.

    Where nothing is known of him, it is the line that most people stand in.
    """
    taking = crowd.taking
    known = [ticket.queue_id for ticket in held if ticket.store_id == crowd.store_id]
    known += [choice.last_queue_id] if choice.last_queue_id else []
    for queue_id in known:
        found = [line for line in taking if line.queue_id == queue_id]
        if found:
            return found[0]
    if crowd.has_tables and choice.last_party_size:
        fits = fitting(taking, choice.last_party_size)
        if fits:
            return fits[0]
    return max(taking, key=lambda line: line.people)
