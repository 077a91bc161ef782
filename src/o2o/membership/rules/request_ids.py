"""Request ids of what follows from something else: the same cause names the same intention."""

from uuid import UUID, uuid5

from o2o.kernel.ids import RequestId

# Ours alone, drawn once.
_FOLLOWS = UUID("0b6f5f3c-6c0e-5d5b-9a35-1f6d5a6d7c10")


def follows_from(kind: str, *causes: object) -> RequestId:
    """Return the id of the intention of that kind that these causes bring about, for ever."""
    return RequestId(uuid5(_FOLLOWS, ":".join([kind, *map(str, causes)])))
