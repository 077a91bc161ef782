"""The piece of the demo's world that a menu is written in."""

from typing import Annotated

from msgspec import Meta

from o2o.app.demo.shapes import Code, Positive, Text, Weight, Written

DishCode = Annotated[str, Meta(pattern=r"^[A-Z][0-9]{3}$")]


class Dish(Written, frozen=True):
    """A dish or service of a brand.

    `draw` is how often strangers take it relative to its neighbours, `flavours` are what people
    like or do not like about it; an extra (rice, tea, the gas itself) comes with the bill.
    """

    brand: Code
    code: DishCode
    name: Text
    price_fen: Positive
    draw: Weight
    flavours: tuple[Code, ...]
    contains: tuple[Text, ...]
    is_extra: bool = False
