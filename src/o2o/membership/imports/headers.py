"""The head of a table: which column is what, whatever the other system calls it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from o2o.membership.errors_imports import ImportColumnMissing, ImportColumnTwice

# Units and remarks in brackets, and what stands between words.
_REMARK = re.compile(r"\([^)]*\)|\[[^\]]*\]|[\s_\-*:/.]+")


def folded(name: str) -> str:
    """Bring a column's name into the form in which names are compared."""
    return _REMARK.sub("", unicodedata.normalize("NFKC", name).casefold())


class Names:
    """What columns are called in the languages that we know."""

    def __init__(self, tables: Iterable[Mapping[str, Sequence[str]]]) -> None:
        """Take tables of `{key: names}`; keys are names too."""
        self.of_key: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        for table in tables:
            for key, names in table.items():
                self.of_key.setdefault(key, names[0])
                for name in (key, *names):
                    self._keys[folded(name)] = key

    def find(self, name: str) -> str | None:
        """Return the key of a column's name."""
        return self._keys.get(folded(name))

    def count(self, head: Sequence[str]) -> int:
        """Count the names of a head that are known."""
        return sum(self.find(name) is not None for name in head)


class Head(msgspec.Struct, frozen=True):
    """Where each known column stands; names that mean nothing to us are told, not used."""

    places: dict[str, int]
    ignored: list[str]
    width: int


def read_head(head: Sequence[str], *, names: Names, wanted: Sequence[tuple[str, ...]]) -> Head:
    """Return where columns stand; of each group in `wanted` one must be there.

    Raises ImportColumnMissing, ImportColumnTwice.
    """
    places: dict[str, int] = {}
    ignored: list[str] = []
    for place, name in enumerate(head):
        key = names.find(name)
        if key is None:
            if name.strip():
                ignored.append(name.strip()[:64])
        elif key in places:
            raise ImportColumnTwice(column=key)
        else:
            places[key] = place
    for group in wanted:
        if not any(key in places for key in group):
            raise ImportColumnMissing(column=group[0])
    return Head(places, ignored[:50], len(head))
