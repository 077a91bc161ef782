"""Rules of points, periods, tiers and what a marketer may set."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.kernel.ids import new_id
from o2o.membership.errors_programme import PackageWrong, ProgrammeOutOfRange, TiersWrong
from o2o.membership.rules.periods import end_of_month_after
from o2o.membership.rules.points import points_for, points_kept
from o2o.membership.rules.programme import (
    PackageDraft,
    ProgrammeSettings,
    TierDraft,
    check_package,
    check_settings,
    check_tiers,
)
from o2o.membership.rules.request_ids import follows_from
from o2o.membership.rules.tiers import TierStep, next_tier, rises_by_visits, tier_at

LADDER = [
    TierStep("basic", "普通", 0),
    TierStep("silver", "银", 1_000, 10),
    TierStep("paid", "付费", None),
    TierStep("gold", "金", 5_000),
]


@pytest.mark.parametrize(
    "amount_fen, per_yuan, multiplier_bp, points",
    [
        (0, 1, 10_000, 0),
        (99, 1, 10_000, 0),
        (100, 1, 10_000, 1),
        # Rounded once, after the multiplier: 1.99 yuan at one and a half are 2.985 points.
        (199, 1, 15_000, 2),
        (3_880, 1, 12_500, 48),
        (3_880, 10, 10_000, 388),
        (3_880, 0, 10_000, 0),
    ],
)
def test_points_of_a_charge(
    amount_fen: int, per_yuan: int, multiplier_bp: int, points: int
) -> None:
    assert points_for(amount_fen, points_per_yuan=per_yuan, multiplier_bp=multiplier_bp) == points


@given(
    points=st.integers(0, 10_000),
    base_fen=st.integers(1, 100_000),
    parts=st.lists(st.integers(0, 100_000), max_size=5),
)
def test_reversing_in_pieces_ends_where_reversing_at_once_does(
    points: int, base_fen: int, parts: list[int]
) -> None:
    left_fen, kept = base_fen, points
    for part in parts:
        left_fen = max(left_fen - part, 0)
        kept_now = points_kept(points, base_fen=base_fen, left_fen=left_fen)
        assert kept_now <= kept
        kept = kept_now
    assert kept * base_fen <= points * left_fen
    assert points_kept(points, base_fen=base_fen, left_fen=0) == 0
    assert points_kept(points, base_fen=base_fen, left_fen=base_fen) == points


@pytest.mark.parametrize(
    "at, months, end",
    [
        # Still November in Shanghai, already December there.
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), 12, datetime(2027, 11, 30, 16, tzinfo=UTC)),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), 12, datetime(2027, 12, 31, 16, tzinfo=UTC)),
        (datetime(2026, 1, 31, 4, tzinfo=UTC), 1, datetime(2026, 2, 28, 16, tzinfo=UTC)),
        (datetime(2026, 12, 1, 4, tzinfo=UTC), 1, datetime(2027, 1, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_period_ends_with_a_local_month(at: datetime, months: int, end: datetime) -> None:
    assert end_of_month_after(at, months=months, timezone="Asia/Shanghai") == end


def test_what_follows_from_one_cause_is_one_intention() -> None:
    cause = new_id()
    assert follows_from("points.earned", cause) == follows_from("points.earned", cause)
    assert follows_from("points.earned", cause) != follows_from("points.joined", cause)
    assert follows_from("points.earned", cause) != follows_from("points.earned", new_id())


@pytest.mark.parametrize(
    "spent_fen, visits, code, above, by_visits",
    [
        (0, 0, "basic", "silver", False),
        (999, 9, "basic", "silver", False),
        (999, 10, "silver", "gold", True),
        (1_000, 0, "silver", "gold", False),
        (5_000, 99, "gold", None, False),
    ],
)
def test_spend_or_visits_lead_up(
    spent_fen: int, visits: int, code: str, above: str | None, by_visits: bool
) -> None:
    reached = tier_at(LADDER, spent_fen=spent_fen, visits=visits)
    step = next_tier(LADDER, spent_fen=spent_fen, visits=visits, own_code="basic")
    assert reached.code == code
    assert (step.code if step else None) == above
    assert rises_by_visits(reached, spent_fen=spent_fen) is by_visits


def test_the_way_up_begins_at_the_tier_that_is_held() -> None:
    above = next_tier(LADDER, spent_fen=0, own_code="paid")
    assert above is not None
    assert above.code == "gold"
    assert next_tier(LADDER, spent_fen=0, own_code="gold") is None


def settings(**changes: Any) -> ProgrammeSettings:
    return msgspec.structs.replace(
        ProgrammeSettings(
            draw_order="proportional",
            points_per_yuan=1,
            points_valid_months=12,
            joining_points=0,
            visit_points=0,
            no_pin_fen_max=20_000,
            no_pin_daily_fen_max=100_000,
        ),
        **changes,
    )


@pytest.mark.parametrize(
    "field, value",
    [
        ("draw_order", "oldest_first"),
        ("points_per_yuan", 1001),
        ("points_per_yuan", -1),
        ("points_valid_months", 0),
        ("joining_points", 100_001),
        ("no_pin_fen_max", -1),
        ("no_pin_daily_fen_max", 19_999),
        ("no_pin_daily_fen_max", 500_001),
    ],
)
def test_rules_out_of_range_are_named(field: str, value: Any) -> None:
    check_settings(settings())
    check_settings(settings(points_valid_months=None))
    with pytest.raises(ProgrammeOutOfRange) as raised:
        check_settings(settings(**{field: value}))
    assert raised.value.field == field


def tier(name: str, **changes: Any) -> TierDraft:
    return msgspec.structs.replace(
        TierDraft(
            tier_id=None,
            name=name,
            spend_from_fen=0,
            visits_from=None,
            price_fen=None,
            discount_bp=0,
            points_multiplier_bp=10_000,
            birthday_points=0,
            valid_months=12,
            grace_days=30,
        ),
        **changes,
    )


@pytest.mark.parametrize(
    "above, problem, field",
    [
        ({"spend_from_fen": 0}, "order", "spend_from_fen"),
        ({"name": "普通"}, "name", "name"),
        ({"name": ""}, "range", "name"),
        ({"discount_bp": 5_001}, "range", "discount_bp"),
        ({"points_multiplier_bp": 9_999}, "range", "points_multiplier_bp"),
        ({"points_multiplier_bp": 10_500}, "less", "points_multiplier_bp"),
        ({"grace_days": 366}, "range", "grace_days"),
    ],
)
def test_tiers_make_a_ladder(above: dict[str, Any], problem: str, field: str) -> None:
    lowest = tier("普通")
    middle = tier("银", spend_from_fen=1_000, points_multiplier_bp=11_000)
    fine = {"spend_from_fen": 2_000, "points_multiplier_bp": 12_000}
    check_tiers([lowest, middle, tier("金", **fine)])
    with pytest.raises(TiersWrong) as raised:
        check_tiers([lowest, middle, tier(**{"name": "金", **fine, **above})])
    assert (raised.value.detail["problem"], raised.value.field) == (problem, field)


def test_the_lowest_tier_is_for_everybody() -> None:
    for wrong in ({"spend_from_fen": 1}, {"visits_from": 1}, {"price_fen": 100}):
        with pytest.raises(TiersWrong):
            check_tiers([tier("普通", **wrong)])


@pytest.mark.parametrize(
    "field, changes",
    [
        ("name", {"name": ""}),
        ("principal_yuan", {"principal_fen": 0}),
        ("principal_yuan", {"principal_fen": 500_001}),
        ("bonus_yuan", {"bonus_fen": 20_001}),
        ("bonus_yuan", {"principal_fen": 450_000, "bonus_fen": 50_001}),
        ("bonus_points", {"bonus_points": -1}),
        ("ends_on", {"ends_at": datetime(2026, 1, 1, tzinfo=UTC)}),
    ],
)
def test_a_package_that_cannot_be_offered_is_named(field: str, changes: dict[str, Any]) -> None:
    package = PackageDraft(
        name="充200送20",
        principal_fen=20_000,
        bonus_fen=2_000,
        bonus_points=0,
        store_id=None,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=None,
    )
    check_package(package)
    with pytest.raises(PackageWrong) as raised:
        check_package(msgspec.structs.replace(package, **changes))
    assert raised.value.field == field
