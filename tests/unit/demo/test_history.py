"""The past of the demo replayed: never short of money or points, never when the doors are shut."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2o.app.demo.history import DemoHistory, DemoMovement, write_history
from o2o.app.demo.world import World, load_world

SHANGHAI = ZoneInfo("Asia/Shanghai")
TELL = """
import msgspec, sys
from datetime import UTC, datetime
from o2o.app.demo.history import write_history
from o2o.app.demo.world import load_world
history = write_history(load_world(), now=datetime(2026, 3, 1, 4, tzinfo=UTC))
sys.stdout.buffer.write(msgspec.json.encode(history))
"""


def movements_by_member(history: DemoHistory) -> dict[str, list[DemoMovement]]:
    per_member: dict[str, list[DemoMovement]] = {member.ref: [] for member in history.members}
    for movement in history.movements:
        per_member[movement.member_ref].append(movement)
    return per_member


def balances(history: DemoHistory) -> dict[str, int]:
    totals = {member.ref: 0 for member in history.members}
    for movement in history.movements:
        sign = {"top_up": 1, "debit": -1}.get(movement.kind, 0)
        totals[movement.member_ref] += sign * movement.amount_fen
    return totals


def assert_replays(history: DemoHistory) -> None:
    is_named = {member.ref: member.is_named for member in history.members}
    balance_fen: dict[str, int] = defaultdict(int)
    points: dict[str, int] = defaultdict(int)
    for movement in history.movements:
        ref = movement.member_ref
        match movement.kind:
            case "top_up":
                assert movement.principal_fen > 0
                assert movement.bonus_fen >= 0
                assert movement.amount_fen == movement.principal_fen + movement.bonus_fen
                assert movement.points == 0
                balance_fen[ref] += movement.amount_fen
            case "debit":
                assert movement.amount_fen > 0
                assert (movement.principal_fen, movement.bonus_fen, movement.points) == (0, 0, 0)
                balance_fen[ref] -= movement.amount_fen
            case "earn" | "spend":
                assert movement.points > 0
                assert (movement.amount_fen, movement.principal_fen, movement.bonus_fen) == (
                    0,
                    0,
                    0,
                )
                points[ref] += movement.points if movement.kind == "earn" else -movement.points
        assert 0 <= balance_fen[ref] <= (500_000 if is_named[ref] else 100_000), movement
        assert points[ref] >= 0, movement


def assert_endings(history: DemoHistory) -> None:
    left = balances(history)
    assert left["weitang-001"] == 500_000
    assert left["weitang-002"] == 100_000
    empty = ("weitang-009", "weitang-010", "weitang-011", "chengyan-003")
    untouched = ("weitang-012", "weitang-013", "chengyan-004")
    assert [left[ref] for ref in (*empty, *untouched)] == [0] * 7
    movements = movements_by_member(history)
    assert [movements[ref] for ref in untouched] == [[], [], []]
    assert [ref for ref, fen in left.items() if fen == 500_000] == ["weitang-001"]


def test_replays_without_ever_running_short(history: DemoHistory) -> None:
    assert_replays(history)
    assert_endings(history)


@settings(max_examples=6)
@given(
    day=st.dates(min_value=date(2024, 6, 1), max_value=date(2040, 12, 31)),
    seed=st.text(min_size=1, max_size=8),
)
def test_any_seed_on_any_day_replays(day: date, seed: str) -> None:
    shipped = load_world()
    generation = msgspec.structs.replace(shipped.generation, seed=seed)
    world = msgspec.structs.replace(shipped, generation=generation)
    now = datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)

    history = write_history(world, now=now)

    assert len(history.members) == 200
    assert_replays(history)
    assert_endings(history)
    assert_open_and_past(world, history, now)


def assert_open_and_past(world: World, history: DemoHistory, now: datetime) -> None:
    stores = {store.code: store for store in world.stores}
    joined_at = {member.ref: member.joined_at for member in history.members}
    midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    for movement in history.movements:
        assert joined_at[movement.member_ref] < movement.at < midnight
        local = movement.at.astimezone(SHANGHAI)
        minute = local.hour * 60 + local.minute
        today = stores[movement.store].spans_on(local.date())
        last_night = stores[movement.store].spans_on(local.date() - timedelta(days=1))
        is_open = any(opens <= minute < closes for opens, closes in today)
        is_open_late = any(opens <= minute + 1440 < closes for opens, closes in last_night)
        assert is_open or is_open_late, movement


def test_everything_happened_in_opening_hours_before_today(
    world: World, history: DemoHistory, now: datetime
) -> None:
    assert_open_and_past(world, history, now)


def test_movements_are_in_order_of_time(history: DemoHistory) -> None:
    moments = [movement.at for movement in history.movements]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is UTC for moment in moments)
    assert all(moment.microsecond == 0 for moment in moments)


def test_movements_stay_within_the_members_brand_and_the_clerks_scope(
    world: World, history: DemoHistory
) -> None:
    brands = {member.ref: member.brand for member in history.members}
    staff = {person.login: person for person in world.staff}
    for movement in history.movements:
        store = world.store(movement.store)
        assert store.brand == brands[movement.member_ref]
        clerk = staff[movement.clerk_login]
        assert clerk.role in {"clerk", "manager"}
        assert clerk.covers(store)


def spent_before(movements: list[DemoMovement], moment: datetime) -> int:
    since = moment - timedelta(days=365)
    return sum(m.amount_fen for m in movements if m.kind == "debit" and since < m.at < moment)


def test_points_follow_the_debit_and_the_tier_of_the_moment(
    world: World, history: DemoHistory
) -> None:
    brands = {member.ref: world.brand(member.brand) for member in history.members}
    for ref, movements in movements_by_member(history).items():
        rule, debits = brands[ref].points, [m for m in movements if m.kind == "debit"]
        expected = [
            brands[ref].tier_at(spent_before(movements, debit.at)).points_multiplier_bp
            * (debit.amount_fen // 100 * rule.points_per_yuan)
            // 10_000
            for debit in debits
        ]
        earned = [(m.at, m.points) for m in movements if m.kind == "earn"]
        pairs = zip(debits, expected, strict=True)
        assert earned == [(debit.at, points) for debit, points in pairs if points > 0]
        rewards = {reward.points for reward in rule.rewards}
        assert {m.points for m in movements if m.kind == "spend"} <= rewards


def test_tier_is_what_twelve_months_of_spending_lead_to(world: World, history: DemoHistory) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=SHANGHAI)
    movements = movements_by_member(history)
    for member in history.members:
        spent_fen = spent_before(movements[member.ref], midnight)
        assert member.tier == world.brand(member.brand).tier_at(spent_fen).code
    reached = {(member.brand, member.tier) for member in history.members}
    assert len(reached) >= 6


def test_top_ups_are_the_brands_packages_but_for_the_cards_filled_to_the_limit(
    world: World, history: DemoHistory
) -> None:
    brands = {member.ref: world.brand(member.brand) for member in history.members}
    own_sums = [
        (m.member_ref, m.bonus_fen)
        for m in history.movements
        if m.kind == "top_up"
        and (m.principal_fen, m.bonus_fen)
        not in {(p.principal_fen, p.bonus_fen) for p in brands[m.member_ref].top_ups}
    ]
    assert set(own_sums) <= {("weitang-001", 0), ("weitang-002", 0)}


def test_weekends_and_dinners_are_the_busy_times(history: DemoHistory) -> None:
    meals = [
        movement.at.astimezone(SHANGHAI)
        for movement in history.movements
        if movement.kind == "debit" and movement.member_ref.startswith("weitang")
    ]
    per_weekday = Counter(meal.isoweekday() for meal in meals)
    assert per_weekday[6] > per_weekday[1]
    assert per_weekday[7] > per_weekday[2]
    dinners = sum(meal.hour >= 17 for meal in meals)
    lunches = sum(11 <= meal.hour < 14 for meal in meals)
    assert dinners > lunches > len(meals) // 5
    assert any(meal.hour < 3 for meal in meals)


def test_there_is_enough_to_look_at(history: DemoHistory) -> None:
    kinds = Counter(movement.kind for movement in history.movements)
    assert 1_500 < kinds["debit"] < 4_000
    assert 500 < kinds["top_up"] < 2_000
    assert 100 < kinds["spend"] < 1_000
    active = {movement.member_ref for movement in history.movements}
    assert len(active) >= 180


def test_the_hour_of_the_day_changes_nothing(world: World, history: DemoHistory) -> None:
    just_after_midnight = datetime(2026, 3, 1, 0, 0, 1, tzinfo=SHANGHAI)
    just_before_midnight = datetime(2026, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)
    assert write_history(world, now=just_after_midnight) == history
    assert write_history(world, now=just_before_midnight) == history


def test_the_next_day_is_another_history(world: World, history: DemoHistory) -> None:
    tomorrow = write_history(world, now=datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    assert tomorrow.movements != history.movements


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_tells_the_same_history(history: DemoHistory, hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    told = subprocess.run(
        [sys.executable, "-c", TELL], env=environment, capture_output=True, check=True
    )
    assert msgspec.json.decode(told.stdout, type=DemoHistory) == history


def test_a_moment_without_a_time_zone_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_history(world, now=datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001 - that is the point
