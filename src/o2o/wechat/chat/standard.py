"""The answers that need no domain: the default reply, a plain greeting, leaving a dialogue."""

from collections.abc import Sequence

from o2o.infra.database import Tx
from o2o.infra.logging import get_logger
from o2o.web.copy import Words
from o2o.wechat.chat.asks import END_DIALOGUE, Answer, Ask, Given
from o2o.wechat.chat.commands import CommandWords
from o2o.wechat.codec.replies import TextReply

log = get_logger(__name__)


class StandardAnswers:
    """Texts from `chat.toml`, which offer only commands that somebody answers."""

    def __init__(self, words: Words, command_words: CommandWords) -> None:
        """Offer nothing yet."""
        self._words = words
        self._command_words = command_words
        self._offered: list[str] = []
        self._ready: dict[tuple[str, str, str], TextReply] = {}

    def offer(self, command: str) -> None:
        """Name a command in the default reply and the plain greeting."""
        self._offered.append(command)
        self._ready.clear()

    async def default(self, _: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Answer what nobody understood: what can be asked here."""
        return [self._reply("default", ask) for ask in asks]

    async def greet(self, _: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Greet a new follower when no domain does."""
        return [self._reply("greeting", ask) for ask in asks]

    async def leave(self, _: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """End the dialogue that the fan wants to leave."""
        return [Answer(self._reply("left", ask), END_DIALOGUE) for ask in asks]

    async def unknown_scene(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Answer politely to a QR code that is not ours (any more)."""
        for ask in asks:
            log.info("wechat.scene_unknown", account=ask.account.slug)
        return await self.default(tx, asks)

    def failed(self, *, account_name: str, locale: str) -> TextReply:
        """Say that something of ours broke and nothing was done."""
        return TextReply(self._words.text("chat.failed", locale, account=account_name))

    def _reply(self, key: str, ask: Ask) -> TextReply:
        # The hottest reply of all: worded once per account and language.
        place = (key, ask.account.name, ask.locale)
        ready = self._ready.get(place)
        if ready is None:
            ready = self._ready[place] = TextReply(self._worded(key, ask))
        return ready

    def _worded(self, key: str, ask: Ask) -> str:
        text = self._words.text(f"chat.{key}", ask.locale, account=ask.account.name)
        if key == "left" or not self._offered:
            return text
        titles = [self._command_words.title(name, ask.locale) for name in self._offered]
        separator = self._words.text("chat.command_separator", ask.locale)
        offer = self._words.text("chat.offer", ask.locale, commands=separator.join(titles))
        return f"{text}\n{offer}"
