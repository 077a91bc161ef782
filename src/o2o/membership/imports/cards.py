"""Rows of old cards: what each must have, and what a card may hold."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from o2o.kernel.money import format_yuan
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.membership.imports.cells import (
    card_no_cell,
    code_cell,
    fen_cell,
    name_cell,
    phone_cell,
    whole_cell,
)
from o2o.membership.imports.faults import Fault
from o2o.membership.imports.rows import RowReader, remembering

COLUMNS = (
    "card_no",
    "code",
    "name",
    "phone",
    "principal",
    "bonus",
    "points",
    "tier",
    "opened_on",
    "store",
)
WANTED = (("card_no",),)
POINTS_MAX = 100_000_000
_NOBODY = UUID(int=0)
_LIMIT_OF_NAMED = prepaid_limit_fen(is_named=True)
_LIMIT_OF_UNNAMED = prepaid_limit_fen(is_named=False)


class CardRow(NamedTuple):
    """A row that can be read. Amounts in fen."""

    line: int
    card_no: str
    code: str | None
    name: str | None
    phone: str | None
    principal_fen: int
    bonus_fen: int
    points: int
    tier_id: UUID
    store_id: UUID
    opened_on: date | None


def card_check(reader: RowReader) -> Callable[[int, Sequence[str]], CardRow | list[Fault]]:
    """Return what makes a card of a row, or says everything that is wrong with it."""
    # In the order of `CardRow`.
    quick = reader.quick(
        {
            "card_no": card_no_cell,
            "code": code_cell,
            "name": name_cell,
            "phone": phone_cell,
            "principal": fen_cell,
            "bonus": remembering(fen_cell),
            "points": whole_cell,
            "tier": remembering(reader.tier),
            "store": remembering(reader.store),
            "opened_on": remembering(reader.day),
        }
    )

    def check(line: int, cells: Sequence[str]) -> CardRow | list[Fault]:
        values = quick.read(cells)
        if values is not None:
            card = CardRow(line, *values)
            if card.principal_fen + card.bonus_fen <= _limit_fen(card) and (
                card.points <= POINTS_MAX
            ):
                return card
        return check_card(reader, line, cells)

    return check


def check_card(reader: RowReader, line: int, cells: Sequence[str]) -> CardRow | list[Fault]:
    """Return the card of a row, or everything that is wrong with it."""
    reader.start(line, cells)
    read = reader.read
    name = read("name", name_cell, None)
    phone = read("phone", phone_cell, None)
    principal_fen = read("principal", fen_cell, 0)
    bonus_fen = read("bonus", fen_cell, 0)
    points = read("points", whole_cell, 0)
    card = CardRow(
        line,
        read("card_no", card_no_cell, ""),
        read("code", code_cell, None),
        name,
        phone,
        principal_fen,
        bonus_fen,
        points,
        read("tier", reader.tier, reader.known.lowest_tier_id),
        _store(reader),
        read("opened_on", reader.day, None),
    )
    limit_fen = _limit_fen(card)
    if principal_fen + bonus_fen > limit_fen:
        reader.note(
            "principal",
            "balance_over_limit",
            value=format_yuan(principal_fen + bonus_fen),
            detail=format_yuan(limit_fen),
        )
    if points > POINTS_MAX:
        reader.note("points", "points_too_many", value=str(points), detail=POINTS_MAX)
    return reader.faults or card


def _limit_fen(card: CardRow) -> int:
    # Whoever is written down with name and phone has a named card.
    return _LIMIT_OF_NAMED if card.name and card.phone else _LIMIT_OF_UNNAMED


def _store(reader: RowReader) -> UUID:
    if reader.has("store"):
        return reader.read("store", reader.store, _NOBODY)
    if reader.known.default_store_id is None:
        reader.note("store", "store_missing")
        return _NOBODY
    return reader.known.default_store_id
