"""The chat of the queues: waits, called numbers, numbers to take, and where the person stands.

One answerer for all of it, so that a batch of messages takes numbers in one transaction and in one
order, whether they were commands, answers to questions or places that were sent.
"""

from collections.abc import Sequence

from o2o.infra.database import Tx
from o2o.queueing.chat_fulfil import fulfil
from o2o.queueing.chat_phrases import Phrases
from o2o.queueing.chat_reading import (
    COMMANDS,
    STOP,
    Hearing,
    Reader,
    Surroundings,
    needs_lines,
    needs_offers,
    place_sent,
)
from o2o.queueing.chat_talk import PLACE, TALK, Want, live_talk
from o2o.queueing.queries.crowds import list_crowds
from o2o.queueing.queries.doors import list_reaches
from o2o.queueing.queries.places import list_offered_stores
from o2o.stores.queries import NearStore, list_nearest_stores
from o2o.web.copy import Words
from o2o.wechat.chat.asks import Answer, Ask, Given
from o2o.wechat.chat.dialogues import DialogueDefinition
from o2o.wechat.codec.messages import LocationMessage, TextMessage, VoiceMessage
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import ChatRouter

# Which commands the account names to who does not know them.
OFFERED = ("queue_take", "queue_status")
# Places around a point that are looked at: as many as can be chosen from.
NEAR_MAX = 9


def register(router: ChatRouter, *, words: Words, public_url: str) -> None:
    """Answer the commands of `commands.toml`, `11b` and its like, and places that are sent."""
    chat = QueueChat(router, words, public_url=public_url)
    for command in COMMANDS:
        router.command(command, chat.answer, is_offered=command in OFFERED)
    for kind in (TextMessage, VoiceMessage, LocationMessage):
        router.on(kind, chat.answer)
    accepts = (TextMessage, VoiceMessage, LocationMessage)
    router.dialogue(DialogueDefinition(name=TALK, answer=chat.answer, accepts=accepts))
    # Waits for nothing: it only remembers which store the talk is about.
    router.dialogue(DialogueDefinition(name=PLACE, answer=_not_mine, accepts=()))


async def _not_mine(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
    return [None for _ in asks]


class QueueChat:
    """Answers of one process; every method serves any number of asks."""

    def __init__(self, router: ChatRouter, words: Words, *, public_url: str) -> None:
        """Take texts from `queueing_chat.toml`, words from `queueing_grammar.toml`."""
        self._leave = router.standard.leave
        self._reader = Reader(words)
        self._phrases = Phrases(words, public_url=public_url)

    async def answer(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Answer what is about queues; None for the rest."""
        given: list[Given] = [None] * len(asks)
        concerned = [i for i, ask in enumerate(asks) if self._reader.may_concern(ask)]
        if not concerned:
            return given
        known = await self._look_around(tx, [(i, asks[i]) for i in concerned])
        wants: dict[int, Want] = {}
        for index in concerned:
            ask = asks[index]
            if ask.command == STOP and live_talk(ask) is not None:
                [given[index]] = await self._leave(tx, [ask])
            elif isinstance(ask.message, LocationMessage) and place_sent(ask) is None:
                given[index] = Answer(TextReply(self._phrases.text(ask, "place.unreadable")))
            else:
                near = known.near.get(index, ())
                want = self._reader.read(Hearing(ask=ask, near=near, known=known))
                if want is not None:
                    wants[index] = want
        if wants:
            answers = await fulfil(tx, list(wants.values()), phrases=self._phrases)
            for index, answer in zip(wants, answers, strict=True):
                given[index] = answer
        return given

    async def _look_around(self, tx: Tx, asks: Sequence[tuple[int, Ask]]) -> Surroundings:
        """Read what has to be known before the asks can be read."""
        naming = {ask.account.id for _, ask in asks if needs_offers(ask)}
        lined = [store_id for _, ask in asks if (store_id := needs_lines(ask)) is not None]
        near = await _around(tx, asks)
        around = [store.store_id for stores in near.values() for store in stores]
        return Surroundings(
            offered=await list_offered_stores(tx, sorted(naming)) if naming else {},
            crowds=await list_crowds(tx, lined, now=asks[0][1].now) if lined else {},
            near=near,
            reaches=await list_reaches(tx, around),
        )


async def _around(tx: Tx, asks: Sequence[tuple[int, Ask]]) -> dict[int, list[NearStore]]:
    """Return the stores around each place that was sent."""
    sent = [
        (index, (ask.account.id, place))
        for index, ask in asks
        if isinstance(ask.message, LocationMessage) and (place := place_sent(ask)) is not None
    ]
    if not sent:
        return {}
    found = await list_nearest_stores(tx, [place for _, place in sent], most=NEAR_MAX)
    return dict(zip((index for index, _ in sent), found, strict=True))
