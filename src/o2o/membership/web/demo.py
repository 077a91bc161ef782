"""What the demo tells diners: bought cards with their codes, for whoever tries binding one.

The composition root puts them into the app's state under `demo_cards`, in the demo only.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request

from o2o.web.platform import platform_of

STATE_KEY = "demo_cards"


class DemoCardAtHand(msgspec.Struct, frozen=True, kw_only=True):
    """A card of the demo that can be bound by number and code on one account's pages."""

    account: str
    card_no: str
    code: str


def demo_cards(request: Request[Any, Any, Any], account: str) -> list[DemoCardAtHand]:
    """Return an account's cards; none outside the demo, whatever the state holds."""
    if not platform_of(request).settings.demo:
        return []
    cards: Sequence[DemoCardAtHand] = request.app.state.get(STATE_KEY, ())
    return [card for card in cards if card.account == account]
