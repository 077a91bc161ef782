"""The forgiving half of command recognition: slips, other scripts, and polite words around.

Everything follows from the words of `commands.toml` and the tables of `grammar.toml`, so a domain
that adds a command adds its words and nothing here. Which texts a slip can make of a word is worked
out once; a text then costs a few look-ups. Exact words are asked for before this (`commands`).

A slip is one of: a character that sounds or looks like the right one, two neighbours changed over,
one character twice; in Latin words of seven letters or more any one letter. A text that could mean
two commands means neither, and what is left between polite words must be a whole word of two
characters or more: people write sentences to a restaurant, and those are for people.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

import msgspec

from o2o.kernel.text import fold_width

COPY_FILE = "grammar"
# Longer texts are sentences. In Latin letters sentences are longer.
CHARS_MAX = 14
LATIN_CHARS_MAX = 28
CORE_CHARS_MIN = 2
LATIN_SWAP_CHARS_MIN = 5
LATIN_SLIP_CHARS_MIN = 7


class CommandWord(msgspec.Struct, frozen=True):
    """A word that names a command, and the language it was found in."""

    command: str
    locale: str


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What `grammar.toml` says, in all languages together."""

    exact: frozenset[str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    same: dict[int, str]
    alike: dict[str, str]

    @classmethod
    def of(cls, files: Iterable[dict[str, Any]]) -> "Tables":
        """Read the tables of each language; a language without them adds nothing."""
        files = list(files)
        same = {
            ord(other): row[0]
            for file in files
            for row in file.get("same", ())
            for other in row[1:]
        }
        return cls(
            exact=frozenset(name for file in files for name in file.get("exact", ())),
            before=_longest_first(files, "before", same),
            after=_longest_first(files, "after", same),
            same=same,
            alike={row[0]: row[1:] for file in files for row in file.get("alike", ())},
        )


class Grammar:
    """Finds the command that a text means though it is not written like any of its words."""

    def __init__(self, words: dict[str, CommandWord], tables: Tables) -> None:
        """Work out the slips of `words`, which are folded already."""
        self._tables = tables
        self._words: dict[str, CommandWord] = {}
        for word, named in words.items():
            if named.command not in tables.exact:
                self._words.setdefault(word.translate(tables.same), named)
        self._slips = self._all_slips()
        # Most texts are sentences; those without even two neighbours of a word are let go at once.
        self._pairs = {
            pair
            for words in (self._words, self._slips)
            for word in words
            for pair in pairwise(word)
        }
        self._other_forms = frozenset(map(chr, tables.same))

    def find(self, text: str) -> CommandWord | None:
        """Return what a folded text means, if that is beyond doubt."""
        if not self._other_forms.isdisjoint(text):
            text = text.translate(self._tables.same)
        bare = _bare(text)
        if not bare or len(bare) > (LATIN_CHARS_MAX if bare.isascii() else CHARS_MAX):
            return None
        if self._pairs.isdisjoint(pairwise(bare)):
            return None
        for core in self._cores(bare):
            named = self._words.get(core) or self._slips.get(core)
            if named is not None:
                return named
        return None

    def _cores(self, text: str) -> Iterator[str]:
        """Yield the text, then what is left when polite words go, one after another."""
        yield text
        seen, waiting = {text}, [text]
        while waiting:
            for core in self._shorter(waiting.pop(0)):
                if len(core) >= CORE_CHARS_MIN and core not in seen:
                    seen.add(core)
                    waiting.append(core)
                    yield core

    def _shorter(self, text: str) -> Iterator[str]:
        # A slip in a core is not searched for behind every way to cut it: the longest cut is meant.
        for before in self._tables.before:
            if text.startswith(before):
                yield _bare(text[len(before) :])
                break
        for after in self._tables.after:
            if text.endswith(after):
                yield _bare(text[: -len(after)])
                break

    def _all_slips(self) -> dict[str, CommandWord]:
        found: dict[str, CommandWord | None] = {}
        for word, named in self._words.items():
            for slip in set(self._slips_of(word)) - self._words.keys():
                earlier = found.setdefault(slip, named)
                if earlier is None or earlier.command != named.command:
                    found[slip] = None
        return {slip: named for slip, named in found.items() if named is not None}

    def _slips_of(self, word: str) -> Iterator[str]:
        is_latin = word.isascii()
        if len(word) < (LATIN_SWAP_CHARS_MIN if is_latin else CORE_CHARS_MIN):
            return
        if is_latin and len(word) >= LATIN_SLIP_CHARS_MIN:
            yield from (word + letter for letter in ascii_lowercase)
        for position, char in enumerate(word):
            head, tail = word[:position], word[position + 1 :]
            yield head + char + char + tail
            if tail:
                yield head + tail[0] + char + tail[1:]
            for wrong in self._tables.alike.get(char, ""):
                yield head + wrong + tail
            if is_latin and len(word) >= LATIN_SLIP_CHARS_MIN:
                yield head + tail
                for letter in ascii_lowercase:
                    yield head + letter + tail
                    yield head + letter + char + tail


def _longest_first(
    files: Iterable[dict[str, Any]], name: str, same: dict[int, str]
) -> tuple[str, ...]:
    texts = {
        "".join(fold_width(text).casefold().split()).translate(same)
        for file in files
        for text in file.get(name, ())
    }
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _bare(text: str) -> str:
    """Drop what is neither letter nor digit around a text: faces, tildes, hearts."""
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return text[start:end]
