"""What a text about queues means: `11b`, "取号3人", how many people, which of a list.

The words stand in `queueing_grammar.toml`. A text is read after `fold`: one width, small letters,
one written form of each character, no blanks and no signs. None always means: not that.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from o2o.kernel.text import fold_width, without_controls

# What is meant is short; a longer text is a sentence and for people.
CHARS_MAX = 24
# Larger than any party and any list: what is typed by a slip of the keys is told apart from words.
DIGITS_MAX = 6
# A name is found by a part of it that has so many characters.
NAME_CHARS_MIN = 2
READ_MAX = 1024


class ChatTables(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of `queueing_grammar.toml`, of all languages together."""

    same: Mapping[int, str]
    digits: Mapping[str, int]
    ten: tuple[str, ...]
    hundred: tuple[str, ...]
    called: tuple[str, ...]
    asking: tuple[str, ...]
    letters: Mapping[str, str]
    of_line: tuple[str, ...]
    take: tuple[str, ...]
    take_verb: tuple[str, ...]
    take_noun: tuple[str, ...]
    people: tuple[str, ...]
    place: tuple[str, ...]
    of_place: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    @classmethod
    def of(cls, files: Sequence[Mapping[str, Any]]) -> "ChatTables":
        """Put the tables of the languages together."""
        same = {
            ord(other): row[0]
            for file in files
            for row in file.get("same", ())
            for other in row[1:]
            if other != row[0]
        }

        def words(name: str) -> tuple[str, ...]:
            found = {word.translate(same) for file in files for word in file.get(name, ())}
            return tuple(sorted(found, key=lambda word: (-len(word), word)))

        def meanings(name: str) -> dict[str, str]:
            return {
                word.translate(same): row[0]
                for file in files
                for row in file.get(name, ())
                for word in row[1:]
            }

        return cls(
            same=same,
            digits={word: int(digit) for word, digit in meanings("digits").items()},
            letters=meanings("letters"),
            **{
                name: words(name)
                for name in cls.__struct_fields__
                if name not in {"same", "digits", "letters"}
            },
        )


class TakeText(msgspec.Struct, frozen=True):
    """A wish for a number: for how many people and in which line, as far as it was said."""

    party_size: int | None
    letter: str | None
    # Said in Latin letters only, beside the letter of a line.
    is_english: bool


class CalledText(msgspec.Struct, frozen=True):
    """A question for the number that a line calls now."""

    letter: str


class StatusText(msgspec.Struct, frozen=True):
    """A question how one's own number stands."""


Meant = CalledText | StatusText | TakeText


class ChatTexts:
    """Reads texts by one set of tables."""

    def __init__(self, tables: ChatTables) -> None:
        """Work the patterns out once."""
        self._tables = tables
        self._digits = dict(tables.digits)
        self._numerals = _any([*tables.digits, *tables.ten, *tables.hundred])
        number = rf"(?:[0-9]{{1,{DIGITS_MAX}}}|(?:{self._numerals}){{1,5}})"
        around = (_many(tables.before), _many(tables.after))
        letter = rf"(?:[a-z]|{_any(tables.letters)})"
        line = _maybe(tables.of_line)
        people, take = _any(tables.people), _any(tables.take)
        verb, noun = _any(tables.take_verb), _any(tables.take_noun)
        self._called = _whole(
            (_many((*tables.before, *tables.asking)), _many((*tables.after, *tables.asking))),
            rf"(?:{_any(tables.called)})(?P<letter>{letter}){line}",
        )
        self._take = _whole(
            around,
            rf"(?:(?P<first>{number})(?:{people}))?{_many(tables.before)}"
            rf"(?:(?P<ahead>{letter}){line}(?:{take})|(?:{take})(?:(?P<behind>{letter}){line})?"
            rf"|(?:{verb})(?P<inside>{letter})(?:{noun}))"
            rf"{_many(tables.before)}(?:(?P<last>{number})(?:{people})?)?",
        )
        asking = _any(tables.asking)
        self._status = _whole(
            around,
            rf"(?:(?:{asking})+(?:{take}|{noun})(?:{asking})*|(?:{take}|{noun})(?:{asking})+)",
        )
        self._count = _whole(around, rf"(?P<number>{number})(?:{people})?")
        self._sum = _whole(around, rf"(?:{number}(?:{people})){{2,3}}")
        self._each = re.compile(rf"({number})(?:{people})")
        self._pick = _whole(
            around, rf"{_maybe(tables.place)}(?P<number>{number}){_maybe(tables.of_place)}"
        )
        self._letter = _whole(around, rf"(?P<letter>{letter}){line}")
        # People send the same few texts; and most texts are not for us.
        self.fold = lru_cache(READ_MAX)(self._fold)
        self._meant = lru_cache(READ_MAX)(self._means)
        # None of these in a text: it asks for nothing of ours. Most texts end here.
        self._hint = re.compile("|".join((_any(tables.called), take, noun)))

    def _fold(self, text: str) -> str:
        folded = fold_width(without_controls(text)).casefold().translate(self._tables.same)
        return "".join(char for char in folded if char.isalnum())

    def meant(self, text: str) -> Meant | None:
        """Return what a text asks of the queues; this is asked of every text that arrives."""
        return self._meant(text) if len(text) <= 2 * CHARS_MAX else None

    def _means(self, text: str) -> Meant | None:
        if self._hint.search(self.fold(text)) is None:
            return None
        if (letter := self.called_line(text)) is not None:
            return CalledText(letter)
        return StatusText() if self.asks_status(text) else self.take(text)

    def called_line(self, text: str) -> str | None:
        """Return the letter of the line whose called number is asked for: `11b` is B."""
        found = self._match(self._called, text)
        return self._upper(found["letter"]) if found else None

    def take(self, text: str) -> TakeText | None:
        """Return the wish for a number that a text says."""
        found = self._match(self._take, text)
        if found is None:
            return None
        letter = found["ahead"] or found["behind"] or found["inside"]
        number = found["first"] or found["last"]
        return TakeText(
            self._number(number) if number else None,
            self._upper(letter) if letter else None,
            found.string.isascii(),
        )

    def asks_status(self, text: str) -> bool:
        """Whether a text asks how a number stands, without being a word for it."""
        return self._match(self._status, text) is not None

    def party_size(self, text: str) -> int | None:
        """Return how many people a text says; adults and children are added up."""
        found = self._match(self._count, text)
        if found is not None:
            return self._number(found["number"])
        if self._match(self._sum, text) is None:
            return None
        return sum(self._number(one) for one in self._each.findall(self.fold(text)))

    def place_in_list(self, text: str) -> int | None:
        """Return the place in a numbered list that a text says; the first is 1."""
        found = self._match(self._pick, text)
        return self._number(found["number"]) if found else None

    def letter(self, text: str) -> str | None:
        """Return the letter of a line that a text is."""
        found = self._match(self._letter, text)
        return self._upper(found["letter"]) if found else None

    def named(self, text: str, names: Sequence[str]) -> int | None:
        """Return the index of the one name that a text is or is a part of."""
        asked = self.fold(text)
        if not NAME_CHARS_MIN <= len(asked) <= CHARS_MAX:
            return None
        folded = [self.fold(name) for name in names]
        if folded.count(asked) == 1:
            return folded.index(asked)
        parts = [index for index, name in enumerate(folded) if asked in name]
        return parts[0] if len(parts) == 1 else None

    def _match(self, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
        # Cheaper than folding, and blanks and signs are few.
        if len(text) > 2 * CHARS_MAX:
            return None
        folded = self.fold(text)
        return pattern.fullmatch(folded) if 0 < len(folded) <= CHARS_MAX else None

    def _upper(self, letter: str) -> str:
        return self._tables.letters.get(letter, letter).upper()

    def _number(self, text: str) -> int:
        """Return what digits or numerals mean; tens and hundreds are counted, others are read."""
        if text.isdecimal():
            return int(text)
        total, pending, is_counted = 0, 0, False
        for word in re.findall(self._numerals, text):
            unit = 10 if word in self._tables.ten else 100 if word in self._tables.hundred else 0
            if unit:
                total, pending, is_counted = total + (pending or 1) * unit, 0, True
            else:
                pending = self._digits[word] if is_counted else pending * 10 + self._digits[word]
        return total + pending


def _any(words: Iterable[str]) -> str:
    """Return a pattern of any of these words, the longest first; none at all matches nothing."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    return "|".join(map(re.escape, ordered)) or r"(?!)"


def _many(words: Iterable[str]) -> str:
    return rf"(?:{_any(words)}){{0,3}}"


def _maybe(words: Iterable[str]) -> str:
    return rf"(?:{_any(words)})?"


def _whole(around: tuple[str, str], core: str) -> re.Pattern[str]:
    before, after = around
    return re.compile(rf"{before}{core}{after}")
