"""What stands in a statement, in words and figures, whatever file it becomes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from o2o.crm.organisation import Store
from o2o.crm.statuses import Asset
from o2o.kernel.money import format_yuan
from o2o.ledger.queries import StatementLine
from o2o.membership.statements_export.period import Period
from o2o.web.copy import Words

MONEY_COLUMNS = (
    "at",
    "kind",
    "store",
    "tender",
    "amount",
    "principal",
    "bonus",
    "balance",
    "reason",
    "number",
)
POINTS_COLUMNS = ("at", "kind", "store", "amount", "balance", "reason", "number")
FIGURES = frozenset({"amount", "principal", "bonus", "balance"})


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A statement ready to be written down. Cells of FIGURES are numbers without a unit."""

    title: str
    # Label and value, for the head.
    facts: list[tuple[str, str]]
    columns: tuple[str, ...]
    labels: list[str]
    rows: list[list[str]]
    empty: str
    footer: str


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose statement it is."""

    brand_name: str
    card_no: str
    who: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a period, in fen or points; `went` is negative or 0."""

    opening: int
    came: int
    went: int
    closing: int

    @classmethod
    def of(cls, lines: Sequence[StatementLine], *, opening: int) -> "Figures":
        """Sum lines up."""
        came = sum(line.amount for line in lines if line.amount > 0)
        went = sum(line.amount for line in lines if line.amount < 0)
        return cls(opening=opening, came=came, went=went, closing=opening + came + went)


def amount_text(amount: int, *, asset: Asset) -> str:
    """Write an amount without its unit: yuan with two places, or whole points."""
    return format_yuan(amount).replace(",", "") if asset is Asset.CNY_FEN else str(amount)


def make_sheet(
    lines: Sequence[StatementLine],
    *,
    opening: int,
    asset: Asset,
    period: Period,
    holder: Holder,
    stores: Mapping[UUID, Store],
    made_at: datetime,
    words: Words,
    language: str,
) -> Sheet:
    """Put lines, oldest first, into words."""

    def said(key: str, **values: str) -> str:
        return words.text(f"statement.file.{key}", language, **values)

    figures = Figures.of(lines, opening=opening)
    columns = MONEY_COLUMNS if asset is Asset.CNY_FEN else POINTS_COLUMNS
    sums = {
        # What came and what went are told apart by their labels.
        name: said(f"{asset.value}_amount", amount=amount_text(abs(amount), asset=asset))
        for name, amount in msgspec.structs.asdict(figures).items()
    }
    return Sheet(
        title=said(f"title_{asset.value}", brand=holder.brand_name),
        facts=[
            (said("holder"), holder.who),
            (said("card_no"), holder.card_no),
            (said("period"), f"{_day(period.from_day)} – {_day(period.to_day)}"),
            *((said(name), text) for name, text in sums.items()),
            (said("made_at"), f"{made_at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}"),
        ],
        columns=columns,
        labels=[said(f"columns.{name}") for name in columns],
        rows=[
            [_cell(name, line, stores, asset, words, language) for name in columns]
            for line in lines
        ],
        empty=said("empty"),
        footer=said("footer", brand=holder.brand_name),
    )


def _cell(  # noqa: PLR0911, PLR0917 - one line for each column reads best
    name: str,
    line: StatementLine,
    stores: Mapping[UUID, Store],
    asset: Asset,
    words: Words,
    language: str,
) -> str:
    store = stores.get(line.store_id) if line.store_id else None
    match name:
        case "at":
            zone = ZoneInfo(store.timezone if store else "Asia/Shanghai")
            return f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}"
        case "kind":
            return words.text(f"diner.kinds.{line.kind.value}", language)
        case "store":
            return store.name if store else ""
        case "tender":
            return words.text(f"diner.tenders.{line.tender.value}", language) if line.tender else ""
        case "amount":
            return amount_text(line.amount, asset=asset)
        case "principal":
            return amount_text(line.principal_fen, asset=asset)
        case "bonus":
            return amount_text(line.bonus_fen, asset=asset)
        case "balance":
            return amount_text(line.balance_after, asset=asset)
        case "reason":
            return line.reason or ""
        case _:
            return str(line.transfer_id)


def _day(day: date) -> str:
    return day.isoformat()
