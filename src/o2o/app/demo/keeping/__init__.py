"""What staff keep of the demo's members, and bought cards to bind: read from a TOML of its own."""

import tomllib
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from o2o.app.demo.shapes import Code, Natural, Positive, Text, Written

Login = Annotated[str, Meta(pattern=r"^[a-z]{3,24}$")]


class BoughtCard(Written, frozen=True):
    """A card sold over the counter; without a code it is bound at a pad only. Amounts in fen."""

    brand: Code
    store: Code
    card_no: Annotated[str, Meta(pattern=r"^[0-9A-Z]{4,32}$")]
    principal_fen: Natural
    bonus_fen: Natural
    points: Natural
    sold_days_ago: Positive
    code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{8}$")] | None = None


class Kept(Written, frozen=True):
    """What one of the staff (`by`) keeps of a member, who is named as in the cast."""

    brand: Code
    name: Text
    by: Login
    tags: tuple[Text, ...] = ()
    pinned_note: Annotated[str, Meta(max_length=200)] | None = None
    note: Annotated[str, Meta(max_length=200)] | None = None
    allergies: tuple[Text, ...] = ()
    dislikes: tuple[Text, ...] = ()
    likes: tuple[Text, ...] = ()
    family: Text | None = None
    brought: Text | None = None


class Keeping(Written, frozen=True):
    """All of it."""

    bought_cards: tuple[BoughtCard, ...] = ()
    kept: tuple[Kept, ...] = ()


def load_keeping() -> Keeping:
    """Read what ships with the program. Raises msgspec.ValidationError, naming the field."""
    written = files("o2o.app.demo.keeping").joinpath("keeping.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(written), Keeping)
