"""What a marketer may set: ranges of rules, a ladder of tiers, packages that can be offered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.membership.errors_programme import PackageWrong, ProgrammeOutOfRange, TiersWrong

DRAW_ORDERS = ("proportional", "principal_first")
# A daily limit beyond what a card may hold limits nothing.
CARD_FEN_MAX = 500_000
NAME_CHARS_MAX = 20
TIERS_MAX = 12
BONUS_POINTS_MAX = 1_000_000
MONTHS_MAX = 120
# Half price and ten times the points are already a slip of the finger.
DISCOUNT_BP_MAX = 5_000
MULTIPLIER_BP_MIN = 10_000
MULTIPLIER_BP_MAX = 100_000


class ProgrammeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of stored value and points, amounts in fen; see the table."""

    draw_order: str
    points_per_yuan: int
    points_valid_months: int | None
    joining_points: int
    visit_points: int
    no_pin_fen_max: int
    no_pin_daily_fen_max: int


class TierDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A tier as it is to be; a new one has no id yet and comes on top. See the table."""

    tier_id: UUID | None
    name: str
    spend_from_fen: int | None
    visits_from: int | None
    price_fen: int | None
    discount_bp: int
    points_multiplier_bp: int
    birthday_points: int
    valid_months: int | None
    grace_days: int


class PackageDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A package as it is to be offered; amounts in fen, the end exclusive."""

    name: str
    principal_fen: int
    bonus_fen: int
    bonus_points: int
    store_id: UUID | None
    starts_at: datetime | None
    ends_at: datetime | None


def check_settings(settings: ProgrammeSettings) -> None:
    """Raise ProgrammeOutOfRange, naming the field."""
    if settings.draw_order not in DRAW_ORDERS:
        raise ProgrammeOutOfRange(field="draw_order", least=0, most=1)
    ranges: tuple[tuple[str, int | None, int, int], ...] = (
        ("points_per_yuan", settings.points_per_yuan, 0, 1000),
        ("points_valid_months", settings.points_valid_months, 1, MONTHS_MAX),
        ("joining_points", settings.joining_points, 0, 100_000),
        ("visit_points", settings.visit_points, 0, 100_000),
        ("no_pin_fen_max", settings.no_pin_fen_max, 0, CARD_FEN_MAX),
        (
            "no_pin_daily_fen_max",
            settings.no_pin_daily_fen_max,
            settings.no_pin_fen_max,
            CARD_FEN_MAX,
        ),
    )
    for field, value, least, most in ranges:
        if value is not None and not least <= value <= most:
            raise ProgrammeOutOfRange(field=field, least=least, most=most)


def check_tiers(tiers: Sequence[TierDraft]) -> None:
    """Raise TiersWrong unless the tiers, lowest first, make a ladder everybody can stand on.

    The lowest is for everybody; each condition that two tiers have is harder for the higher one,
    and no tier gives less than the one below.
    """
    if not 1 <= len(tiers) <= TIERS_MAX:
        raise TiersWrong(problem="count", tier_name="", field="tiers")
    lowest = tiers[0]
    if (lowest.spend_from_fen, lowest.visits_from, lowest.price_fen) != (0, None, None):
        raise TiersWrong(problem="lowest", tier_name=lowest.name, field="spend_from_fen")
    names = [tier.name for tier in tiers]
    for index, tier in enumerate(tiers):
        _check_tier(tier)
        if tier.name in names[:index]:
            raise TiersWrong(problem="name", tier_name=tier.name, field="name")
        _check_above(tier, tiers[:index])


def _check_tier(tier: TierDraft) -> None:
    ranges: tuple[tuple[str, int | None, int, int], ...] = (
        ("name", len(tier.name), 1, NAME_CHARS_MAX),
        ("spend_from_fen", tier.spend_from_fen, 0, 100_000_000),
        ("visits_from", tier.visits_from, 1, 1000),
        ("price_fen", tier.price_fen, 1, CARD_FEN_MAX),
        ("discount_bp", tier.discount_bp, 0, DISCOUNT_BP_MAX),
        ("points_multiplier_bp", tier.points_multiplier_bp, MULTIPLIER_BP_MIN, MULTIPLIER_BP_MAX),
        ("birthday_points", tier.birthday_points, 0, 100_000),
        ("valid_months", tier.valid_months, 1, MONTHS_MAX),
        ("grace_days", tier.grace_days, 0, 365),
    )
    for field, value, least, most in ranges:
        if value is not None and not least <= value <= most:
            raise TiersWrong(problem="range", tier_name=tier.name, field=field)


def _check_above(tier: TierDraft, below: Sequence[TierDraft]) -> None:
    harder = ("spend_from_fen", "visits_from", "price_fen")
    for field in harder:
        value = getattr(tier, field)
        others = [other for one in below if (other := getattr(one, field)) is not None]
        if value is not None and others and value <= max(others):
            raise TiersWrong(problem="order", tier_name=tier.name, field=field)
    for field in ("discount_bp", "points_multiplier_bp", "birthday_points"):
        if any(getattr(one, field) > getattr(tier, field) for one in below):
            raise TiersWrong(problem="less", tier_name=tier.name, field=field)


def check_package(package: PackageDraft) -> None:
    """Raise PackageWrong, naming the field."""
    wrong = (
        ("name", 1 <= len(package.name) <= NAME_CHARS_MAX),
        ("principal_yuan", 1 <= package.principal_fen <= CARD_FEN_MAX),
        ("bonus_yuan", 0 <= package.bonus_fen <= package.principal_fen),
        ("bonus_yuan", package.principal_fen + package.bonus_fen <= CARD_FEN_MAX),
        ("bonus_points", 0 <= package.bonus_points <= BONUS_POINTS_MAX),
        (
            "ends_on",
            package.starts_at is None
            or package.ends_at is None
            or package.starts_at < package.ends_at,
        ),
    )
    for field, is_right in wrong:
        if not is_right:
            raise PackageWrong(problem=field, field=field)
