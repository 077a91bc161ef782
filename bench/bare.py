"""The product without what makes a debit safe to repeat and easy to follow, for comparison only.

Left out: looking for what the request did before, hashing what was asked, and the event that
others hear of it. Nobody seals beside it. Money moves as it does in the product.
"""

from typing import Any

from o2o.app import asgi
from o2o.ledger.actions import debit_stored_value
from o2o.ledger.queries import books

LEFT_OUT = (
    (books, "find_done"),
    (debit_stored_value, "body_hash"),
    (debit_stored_value, "publish"),
)


async def _find_nothing(*_: object) -> dict[object, object]:
    return {}


def _hash_nothing(*_: object) -> bytes:
    return b"\0"


async def _tell_nobody(*_: object, **__: object) -> None:
    return None


def create_root() -> Any:
    """Create the root for one worker (granian's factory)."""
    for (module, name), instead in zip(
        LEFT_OUT, (_find_nothing, _hash_nothing, _tell_nobody), strict=True
    ):
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, instead)
    return asgi.create_root()
