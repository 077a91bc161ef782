"""Rows of bills: one line of a bill each, of a member known by card or phone."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.membership.imports.cells import (
    card_no_cell,
    date_cell,
    fen_cell,
    name_cell,
    phone_cell,
    whole_cell,
)
from o2o.membership.imports.faults import CellWrong, Fault
from o2o.membership.imports.rows import RowReader

COLUMNS = (
    "external_id",
    "card_no",
    "phone",
    "store",
    "bought_at",
    "item_code",
    "item_name",
    "quantity",
    "amount",
    "total",
)
WANTED = (("external_id",), ("card_no", "phone"), ("bought_at",), ("item_name",), ("amount",))
EXTERNAL_ID_CHARS_MAX = 64
QUANTITY_MAX = 10_000
_ZONE = ZoneInfo("Asia/Shanghai")
_TIME = re.compile(r"[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII)
_NOBODY = UUID(int=0)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class PurchaseRow(NamedTuple):
    """A row that can be read. Amounts in fen."""

    line: int
    external_id: str
    card_no: str | None
    phone: str | None
    store_id: UUID
    bought_at: datetime
    item_code: str
    item_name: str
    quantity: int
    amount_fen: int
    total_fen: int | None


def purchase_check(
    reader: RowReader,
) -> Callable[[int, Sequence[str]], PurchaseRow | list[Fault]]:
    """Return what makes the line of a bill of a row, or says everything that is wrong with it."""
    return partial(check_purchase, reader)


def check_purchase(reader: RowReader, line: int, cells: Sequence[str]) -> PurchaseRow | list[Fault]:
    """Return the line of a bill, or everything that is wrong with it."""
    reader.start(line, cells)
    read = reader.read
    card_no = read("card_no", _card_no, None)
    phone = read("phone", phone_cell, None)
    item_name = read("item_name", name_cell, None)
    row = PurchaseRow(
        line,
        read("external_id", _external_id, ""),
        card_no,
        phone,
        _store(reader),
        read("bought_at", lambda text: _moment(text, reader), _NEVER),
        read("item_code", name_cell, None) or item_name or "",
        item_name or "",
        read("quantity", _quantity, 1),
        read("amount", fen_cell, 0),
        read("total", lambda text: fen_cell(text) if text else None, None),
    )
    if not reader.faults:
        if card_no is None and phone is None:
            reader.note("card_no", "member_missing")
        if not item_name:
            reader.note("item_name", "item_missing")
    return reader.faults or row


def torn_bill(reader: RowReader, line: int) -> tuple[int, str] | None:
    """Return line and number of a bill of which a row cannot be read: it must not come in part."""
    external_id = reader.read("external_id", lambda text: text, "")
    return (line, external_id) if external_id else None


def _card_no(text: str) -> str | None:
    return card_no_cell(text) if text else None


def _external_id(text: str) -> str:
    if not text:
        raise CellWrong("external_id_missing")
    if len(text) > EXTERNAL_ID_CHARS_MAX:
        raise CellWrong("too_long", EXTERNAL_ID_CHARS_MAX)
    return text


def _quantity(text: str) -> int:
    quantity = whole_cell(text) if text else 1
    if not 1 <= quantity <= QUANTITY_MAX:
        raise CellWrong("quantity_odd", QUANTITY_MAX)
    return quantity


def _moment(text: str, reader: RowReader) -> datetime:
    day = date_cell(text, today=reader.known.today)
    if day is None:
        raise CellWrong("time_missing")
    time = _TIME.search(text)
    hour, minute, second = (int(part or 0) for part in time.groups()) if time else (12, 0, 0)
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=_ZONE)
    except ValueError as error:
        raise CellWrong("date_odd") from error


def _store(reader: RowReader) -> UUID:
    if reader.has("store"):
        return reader.read("store", reader.store, _NOBODY)
    if reader.known.default_store_id is None:
        reader.note("store", "store_missing")
        return _NOBODY
    return reader.known.default_store_id
