"""Command words of the chat: which text names which command, whatever its width, case or script."""

from functools import lru_cache

from o2o.kernel.text import fold_width, without_controls
from o2o.web.copy import LANGUAGES, Words
from o2o.wechat.chat import grammar
from o2o.wechat.chat.grammar import CommandWord, Grammar, Tables

__all__ = ["CommandWord", "CommandWords", "fold"]

COPY_FILE = "commands"
# A command is a word, not an essay; longer texts are not looked up at all.
COMMAND_CHARS_MAX = 32
FOUND_MAX = 1024
_AROUND = (
    " \t\r\n.,!?;:~'\"()[]{}<>"
    "\u3001\u3002\u300c\u300d\u300e\u300f\u3010\u3011\u2018\u2019\u201c\u201d"
)


def fold(text: str) -> str:
    """Bring a typed text into the form in which commands are compared.

    Full-width becomes half-width, capitals small, inner spaces and surrounding punctuation go:
    people type `余 额。` and mean `余额`.
    """
    return "".join(fold_width(without_controls(text)).casefold().split()).strip(_AROUND)


class CommandWords:
    """All words of all languages from `commands.toml`: `[command] title, words = […]`.

    `find(text)` returns the command that a text names, exactly or beyond doubt, or None.
    """

    def __init__(self, words: Words) -> None:
        """Read the words. Raises ValueError when one word names two commands."""
        self._words: dict[str, CommandWord] = {}
        self._titles: dict[tuple[str, str], str] = {}
        # People type the same few words.
        self.find = lru_cache(FOUND_MAX)(self._find)
        for locale in LANGUAGES:
            for command, entry in words.table(COPY_FILE, locale).items():
                self._titles[locale, command] = str(entry["title"])
                for word in entry["words"]:
                    self._add(fold(word), CommandWord(command, locale))
        tables = Tables.of(words.table(grammar.COPY_FILE, locale) for locale in LANGUAGES)
        self._grammar = Grammar(self._words, tables)

    def _add(self, word: str, named: CommandWord) -> None:
        earlier = self._words.setdefault(word, named)
        if earlier.command != named.command:
            msg = f"the word {word!r} names both {earlier.command} and {named.command}"
            raise ValueError(msg)

    def _find(self, text: str) -> CommandWord | None:
        if len(text) > COMMAND_CHARS_MAX:
            return None
        if (named := self._words.get(text)) is not None:
            return named
        folded = fold(text)
        return self._words.get(folded) or self._grammar.find(folded)

    def has(self, command: str) -> bool:
        """Whether `commands.toml` gives the command words."""
        return any((locale, command) in self._titles for locale in LANGUAGES)

    def title(self, command: str, locale: str) -> str:
        """Return how a command is named to people: the word they would type."""
        return self._titles.get((locale, command)) or self._titles[LANGUAGES[0], command]
