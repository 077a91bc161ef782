"""What marketers type, read: yuan, whole numbers, percent, dates; wrong ones name their field."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.kernel.money import parse_yuan
from o2o.kernel.text import without_controls
from o2o.membership.errors_programme import PackageWrong, ProgrammeOutOfRange, TiersWrong
from o2o.membership.rules.programme import PackageDraft, ProgrammeSettings, TierDraft
from o2o.membership.web.pad_errors import AmountNotMoney

# Dates of a programme are those of the brand's customers.
ZONE = ZoneInfo("Asia/Shanghai")
HUNDREDTHS_BP = 100
WHOLE_MAX = 1_000_000_000
Form = Mapping[str, Any]

RULE_FIELDS = (
    "draw_order",
    "points_per_yuan",
    "points_valid_months",
    "joining_points",
    "visit_points",
    "no_pin_yuan",
    "no_pin_daily_yuan",
)
TIER_FIELDS = (
    "tier_id",
    "name",
    "spend_yuan",
    "visits_from",
    "price_yuan",
    "discount_percent",
    "multiplier",
    "birthday_points",
    "valid_months",
    "grace_days",
)
PACKAGE_FIELDS = (
    "name",
    "principal_yuan",
    "bonus_yuan",
    "bonus_points",
    "store_id",
    "starts_on",
    "ends_on",
)


def typed(form: Form, name: str) -> str:
    """Return what was typed into a field, without what nobody sees."""
    value = form.get(name, "")
    return without_controls(value).strip() if isinstance(value, str) else ""


def read_yuan(form: Form, name: str) -> int:
    """Return fen. Raises AmountNotMoney."""
    try:
        return parse_yuan(typed(form, name))
    except ValueError:
        raise AmountNotMoney(field=name) from None


def read_whole(form: Form, name: str, *, least: int = 0, most: int = WHOLE_MAX) -> int:
    """Return a whole number. Raises ProgrammeOutOfRange."""
    text = typed(form, name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise ProgrammeOutOfRange(field=name, least=least, most=most)
    return int(text)


def read_settings(form: Form) -> ProgrammeSettings:
    """Read the rules. Raises AmountNotMoney, ProgrammeOutOfRange."""
    return ProgrammeSettings(
        draw_order=typed(form, "draw_order"),
        points_per_yuan=read_whole(form, "points_per_yuan", most=1000),
        points_valid_months=_whole_or_none(form, "points_valid_months", least=1, most=120),
        joining_points=read_whole(form, "joining_points", most=100_000),
        visit_points=read_whole(form, "visit_points", most=100_000),
        no_pin_fen_max=read_yuan(form, "no_pin_yuan"),
        no_pin_daily_fen_max=read_yuan(form, "no_pin_daily_yuan"),
    )


def read_tiers(form: Form, *, most: int) -> list[TierDraft]:
    """Read the tiers, lowest first; a last one without a name is none.

    Raises TiersWrong, naming the field with the tier's number.
    """
    drafts: list[TierDraft] = []
    for index in range(most):
        if f"name_{index}" not in form:
            break
        is_new = not typed(form, f"tier_id_{index}")
        if is_new and not typed(form, f"name_{index}"):
            break
        drafts.append(_read_tier(form, index))
    return drafts


def _read_tier(form: Form, index: int) -> TierDraft:
    name = typed(form, f"name_{index}")
    try:
        return TierDraft(
            tier_id=_id_or_none(form, f"tier_id_{index}"),
            name=name,
            spend_from_fen=_yuan_or_none(form, f"spend_yuan_{index}"),
            visits_from=_whole_or_none(form, f"visits_from_{index}", least=1, most=1000),
            price_fen=_yuan_or_none(form, f"price_yuan_{index}"),
            # Two decimals of a percent are ten thousandths, those of a multiplier hundredths.
            discount_bp=read_yuan(form, f"discount_percent_{index}"),
            points_multiplier_bp=read_yuan(form, f"multiplier_{index}") * HUNDREDTHS_BP,
            birthday_points=read_whole(form, f"birthday_points_{index}", most=100_000),
            valid_months=_whole_or_none(form, f"valid_months_{index}", least=1, most=120),
            grace_days=read_whole(form, f"grace_days_{index}", most=365),
        )
    except (AmountNotMoney, ProgrammeOutOfRange) as fact:
        raise TiersWrong(problem="range", tier_name=name, field=fact.field or "") from None


def read_package(form: Form) -> PackageDraft:
    """Read a package; the end date is its last day. Raises AmountNotMoney, PackageWrong."""
    ends_on = _date_or_none(form, "ends_on")
    starts_on = _date_or_none(form, "starts_on")
    return PackageDraft(
        name=typed(form, "name"),
        principal_fen=read_yuan(form, "principal_yuan"),
        bonus_fen=read_yuan(form, "bonus_yuan") if typed(form, "bonus_yuan") else 0,
        bonus_points=read_whole(form, "bonus_points") if typed(form, "bonus_points") else 0,
        store_id=_id_or_none(form, "store_id"),
        starts_at=_begin_of(starts_on),
        ends_at=_begin_of(ends_on + timedelta(days=1)) if ends_on else None,
    )


def _begin_of(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE) if day else None


def _date_or_none(form: Form, name: str) -> date | None:
    text = typed(form, name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PackageWrong(problem=name, field=name) from None
    if not 2000 <= day.year <= 2100:
        raise PackageWrong(problem=name, field=name)
    return day


def _id_or_none(form: Form, name: str) -> UUID | None:
    text = typed(form, name)
    try:
        return UUID(text) if text else None
    except ValueError:
        raise PackageWrong(problem=name, field=name) from None


def _yuan_or_none(form: Form, name: str) -> int | None:
    return read_yuan(form, name) if typed(form, name) else None


def _whole_or_none(form: Form, name: str, *, least: int, most: int) -> int | None:
    return read_whole(form, name, least=least, most=most) if typed(form, name) else None


def plain_yuan(amount_fen: int | None) -> str:
    """Write fen as a field holds it: yuan without grouping, without needless zeros."""
    if amount_fen is None:
        return ""
    whole, cents = divmod(amount_fen, 100)
    return str(whole) if cents == 0 else f"{whole}.{cents:02d}"


def plain(value: int | None) -> str:
    """Write a number as a field holds it."""
    return "" if value is None else str(value)
