"""What a message about queues asks for: the answer to a question, a command, a text, a place."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from o2o.kernel.geo import Point, in_gcj02
from o2o.queueing.chat_talk import Step, Talk, Want, Wish, kept_store, live_talk
from o2o.queueing.queries.crowds import Crowd
from o2o.queueing.queries.doors import Reach
from o2o.queueing.queries.places import OfferedStore
from o2o.queueing.rules.chat_texts import CalledText, ChatTables, ChatTexts, StatusText, TakeText
from o2o.stores.queries import NearStore
from o2o.web.copy import LANGUAGES, Words
from o2o.wechat.chat.asks import Ask
from o2o.wechat.codec.messages import ClickEvent, LocationMessage

COPY_FILE = "queueing_grammar"
# Ends a talk of ours; without one it is the same as giving up a number.
STOP = "queue_stop"
COMMANDS: Mapping[str, Wish] = {
    "queue_wait": Wish.WAIT,
    "queue_take": Wish.TAKE,
    "queue_status": Wish.STATUS,
    "queue_cancel": Wish.CANCEL,
    "queue_return": Wish.RETURN,
    "queue_store": Wish.STORE,
    STOP: Wish.CANCEL,
}
# A place answers the question for a store if one is so near.
STORE_MEANT_M = 50_000


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known before the asks of one batch can be read."""

    # Stores that may be chosen, by account.
    offered: Mapping[UUID, Sequence[OfferedStore]]
    # Stores in which a line may be chosen.
    crowds: Mapping[UUID, Crowd]
    # The stores around the places that were sent, by index of the ask, nearest first.
    near: Mapping[int, Sequence[NearStore]]
    # How near to each of those counts as in it, and whether it takes numbers.
    reaches: Mapping[UUID, Reach]


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """One ask with what is known around it."""

    ask: Ask
    near: Sequence[NearStore]
    known: Surroundings


class Reader:
    """Reads asks by the tables of `queueing_grammar.toml`."""

    def __init__(self, words: Words) -> None:
        """Put the tables of all languages together."""
        self.texts = ChatTexts(
            ChatTables.of([words.table(COPY_FILE, locale) for locale in LANGUAGES])
        )

    def may_concern(self, ask: Ask) -> bool:
        """Whether an ask can be about queues at all; says so without a look at the database."""
        if live_talk(ask) is not None:
            return True
        if not ask.text:
            return isinstance(ask.message, LocationMessage) or command_of(ask) in COMMANDS
        if ask.command is not None:
            return ask.command in COMMANDS
        return self.texts.meant(ask.text) is not None

    def read(self, hearing: Hearing) -> Want | None:
        """Return what an ask wants, or None where it is not about queues."""
        ask = hearing.ask
        if (talk := live_talk(ask)) is not None:
            answered = self._answered(hearing, *talk)
            if answered is not None:
                return answered
        if isinstance(ask.message, LocationMessage):
            return _of_place(hearing)
        command = command_of(ask)
        if not command:
            return self._of_text(ask)
        wish = COMMANDS.get(command)
        return Want(ask=ask, talk=Talk(wish=wish)) if wish is not None else None

    def _of_text(self, ask: Ask) -> Want | None:
        if not ask.text:
            return None
        match self.texts.meant(ask.text):
            case CalledText(letter):
                return Want(ask=ask, talk=Talk(wish=Wish.CALLED, letter=letter))
            case StatusText():
                return Want(ask=ask, talk=Talk(wish=Wish.STATUS))
            case TakeText(party_size, letter, is_english):
                if is_english:
                    ask = msgspec.structs.replace(ask, locale="en")
                talk = Talk(wish=Wish.TAKE, letter=letter, party_size=party_size)
                return Want(ask=ask, talk=talk)
        return None

    def _answered(self, hearing: Hearing, step: Step, talk: Talk) -> Want | None:
        """Return the talk as it stands with this answer; None: not what it waited for."""
        ask = hearing.ask
        match step:
            case Step.STORE:
                return self._store(hearing, talk)
            case Step.LINE:
                return self._line(hearing, talk)
            case Step.PARTY:
                size = self.texts.party_size(ask.text)
                if size is None:
                    return None
                talk = msgspec.structs.replace(talk, party_size=size)
                return Want(ask=ask, talk=talk, is_answer=True)
            case Step.TICKET:
                return self._ticket(ask, talk)

    def _store(self, hearing: Hearing, talk: Talk) -> Want | None:
        ask, known = hearing.ask, hearing.known
        if isinstance(ask.message, LocationMessage):
            # Whoever wants a number gets the one for people who are there.
            if talk.wish in {Wish.TAKE, Wish.MEMBER_NUMBER}:
                return None
            found = next(
                (one for one in hearing.near if known.reaches[one.store_id].is_taking), None
            )
            if found is None or found.distance_m > STORE_MEANT_M:
                return None
            return _chosen(ask, talk, found.store_id)
        place = self.texts.place_in_list(ask.text)
        if place is not None:
            if 1 <= place <= len(talk.offered):
                return _chosen(ask, talk, talk.offered[place - 1])
            return Want(ask=ask, talk=talk, is_answer=True, is_off_list=True)
        stores = known.offered.get(ask.account.id, ())
        if talk.wish is Wish.MEMBER_NUMBER:
            stores = [store for store in stores if store.store_id in talk.offered]
        index = self.texts.named(ask.text, [store.name for store in stores])
        return _chosen(ask, talk, stores[index].store_id) if index is not None else None

    def _line(self, hearing: Hearing, talk: Talk) -> Want | None:
        ask, known = hearing.ask, hearing.known
        letter = self.texts.letter(ask.text)
        place = self.texts.place_in_list(ask.text)
        is_off_list = False
        if letter is not None:
            is_off_list = letter not in talk.letters
        elif place is not None:
            is_off_list = not 1 <= place <= len(talk.letters)
            letter = None if is_off_list else talk.letters[place - 1]
        else:
            crowd = known.crowds.get(talk.store_id) if talk.store_id else None
            lines = [line for line in (crowd.lines if crowd else ()) if line.code in talk.letters]
            index = self.texts.named(ask.text, [line.name for line in lines])
            if index is None:
                return None
            letter = lines[index].code
        if not is_off_list:
            talk = msgspec.structs.replace(talk, letter=letter)
        return Want(ask=ask, talk=talk, is_answer=True, is_off_list=is_off_list)

    def _ticket(self, ask: Ask, talk: Talk) -> Want | None:
        place = self.texts.place_in_list(ask.text)
        if place is None:
            return None
        if not 1 <= place <= len(talk.offered):
            return Want(ask=ask, talk=talk, is_answer=True, is_off_list=True)
        talk = msgspec.structs.replace(talk, offered=(talk.offered[place - 1],))
        return Want(ask=ask, talk=talk, is_answer=True)


def command_of(ask: Ask) -> str:
    """Return the command that was typed, said or tapped in the menu; empty where there is none."""
    if isinstance(ask.message, ClickEvent):
        return ask.message.key
    return ask.command or ""


def place_sent(ask: Ask) -> Point | None:
    """Return where a location message says that somebody is; None for what cannot be on earth.

    Zero degrees both ways is what broken senders write, and lies in the sea.
    """
    message = ask.message
    assert isinstance(message, LocationMessage)
    if message.latitude is None or message.longitude is None:
        return None
    if message.latitude == 0 and message.longitude == 0:
        return None
    return in_gcj02(Point(message.latitude, message.longitude), datum=message.datum)


def _of_place(hearing: Hearing) -> Want:
    """Return the wish behind a place: the number of the store it is in, or what is near."""
    ask, around, reaches = hearing.ask, tuple(hearing.near), hearing.known.reaches
    inside = [store for store in around if store.distance_m <= reaches[store.store_id].metres]
    # A store without queues is meant only where no other is.
    meant = [store for store in inside if reaches[store.store_id].is_taking] or inside[:1]
    if not meant:
        return Want(ask=ask, talk=Talk(wish=Wish.NEAREST), near=around)
    talk = Talk(
        wish=Wish.MEMBER_NUMBER,
        offered=tuple(store.store_id for store in meant),
        store_id=meant[0].store_id if len(meant) == 1 else None,
    )
    return Want(ask=ask, talk=talk, near=tuple(meant))


def _chosen(ask: Ask, talk: Talk, store_id: UUID) -> Want:
    talk = msgspec.structs.replace(talk, store_id=store_id, offered=())
    return Want(ask=ask, talk=talk, is_answer=True)


def needs_offers(ask: Ask) -> bool:
    """Whether an ask may name a store that was offered."""
    talk = live_talk(ask)
    return talk is not None and talk[0] is Step.STORE and bool(ask.text)


def needs_lines(ask: Ask) -> UUID | None:
    """Return the store whose lines an ask may name."""
    talk = live_talk(ask)
    return kept_store(ask) if talk is not None and talk[0] is Step.LINE and ask.text else None
