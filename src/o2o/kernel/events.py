"""Events between domains: frozen structs with a wire name, published through the outbox."""

from typing import Any, ClassVar

import msgspec

_kinds: dict[str, type["Event"]] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that happened. Subclasses give `name` as `noun.verb_past`, unique in the program."""

    name: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the wire name, once."""
        super().__init_subclass__(**options)
        if cls.name:
            earlier = _kinds.setdefault(cls.name, cls)
            if earlier.__qualname__ != cls.__qualname__:
                msg = f"two events are called {cls.name}"
                raise ValueError(msg)


def decode_event(name: str, payload: dict[str, Any]) -> Event:
    """Rebuild an event from its wire name and JSON values. Raises KeyError for unknown names."""
    return msgspec.convert(payload, type=_kinds[name])
