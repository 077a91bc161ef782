"""The people drawn: two hundred of them, told apart by everything, the same ones every day."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from o2o.app.demo.people import (
    DemoMember,
    draw_people,
    family_name_of,
    months_before,
    with_check_digit,
)
from o2o.app.demo.world import World

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def members(world: World, now: datetime) -> list[DemoMember]:
    return [person.member for person in draw_people(world, now=now)]


def passes_luhn(number: str) -> bool:
    doubled = "0246813579"
    digits = [int(d) for d in number[::-1][::2]] + [int(doubled[int(d)]) for d in number[-2::-2]]
    return sum(digits) % 10 == 0


@pytest.mark.parametrize(
    "digits,number",
    [
        ("7992739871", "79927398713"),
        ("411111111111111", "4111111111111111"),
        ("000000000000000", "0000000000000000"),
        ("980116000000000", "9801160000000004"),
    ],
)
def test_check_digit(digits: str, number: str) -> None:
    assert with_check_digit(digits) == number
    assert passes_luhn(number)


def test_exactly_two_hundred_of_whom_four_in_five_are_verified(
    members: list[DemoMember],
) -> None:
    assert Counter((member.brand, member.is_named) for member in members) == {
        ("weitang", True): 120,
        ("weitang", False): 30,
        ("chengyan", True): 40,
        ("chengyan", False): 10,
    }
    assert members[0].ref == "weitang-001"
    assert members[150].ref == "chengyan-001"


def test_nobody_shares_a_ref_a_phone_or_a_card(members: list[DemoMember]) -> None:
    for told_apart_by in ("ref", "phone", "card_no"):
        values = [getattr(member, told_apart_by) for member in members]
        assert len(set(values)) == 200, told_apart_by


def test_phones_are_nobodys_and_cards_check(world: World, members: list[DemoMember]) -> None:
    for member in members:
        assert member.phone.isascii()
        assert member.phone.isdigit()
        assert len(member.phone) == 11
        assert member.phone.startswith("1990000")
        assert len(member.card_no) == 16
        assert member.card_no.startswith(world.brand(member.brand).card_prefix)
        assert passes_luhn(member.card_no)


def test_joined_in_the_past_fourteen_months_while_the_home_store_was_open(
    world: World, members: list[DemoMember]
) -> None:
    for member in members:
        joined = member.joined_at.astimezone(SHANGHAI)
        home = world.store(member.home_store)
        assert member.joined_at.tzinfo is UTC
        assert home.brand == member.brand
        assert date(2025, 1, 1) <= joined.date() < date(2026, 3, 1)
        minute = joined.hour * 60 + joined.minute
        spans = home.spans_on(joined.date())
        assert any(opens < minute < closes for opens, closes in spans), member


def test_names_are_short_long_compound_and_dotted(members: list[DemoMember]) -> None:
    names = {member.name: member for member in members}
    assert names["热依汗古丽·阿卜杜热西提"].salutation == "热依汗古丽贵宾"
    assert names["欧阳若溪"].salutation == "欧阳贵宾"
    assert names["李一"].salutation == "李贵宾"
    assert names["上官静姝"].salutation == "上官客户"
    assert names["李一"].birthday == date(2000, 2, 29)
    assert {len(name) for name in names} >= {2, 3, 4, 9, 12}
    # Two in a hundred is what the parts would give by accident; far more would look copied.
    assert len(names) >= 190


def test_adults_only(members: list[DemoMember]) -> None:
    assert min(member.birthday for member in members) >= date(1952, 1, 1)
    assert max(member.birthday for member in members) <= date(2006, 12, 31)


def test_who_they_are_does_not_depend_on_the_day(world: World, now: datetime) -> None:
    def identities(moment: datetime) -> list[DemoMember]:
        unjoined = {"joined_at": now}
        people = draw_people(world, now=moment)
        return [msgspec.structs.replace(person.member, **unjoined) for person in people]

    assert identities(now) == identities(datetime(2027, 8, 19, 23, 0, tzinfo=UTC))


def test_settling_one_persons_store_changes_nobody_else(world: World, now: datetime) -> None:
    settled = msgspec.structs.replace(world.cast[0], home_store="nj-hunan")
    changed = msgspec.structs.replace(world, cast=(settled, *world.cast[1:]))

    before, after = draw_people(world, now=now), draw_people(changed, now=now)

    assert after[0].member.home_store == "nj-hunan"
    assert after[0].member.birthday == before[0].member.birthday
    assert after[1:] == before[1:]


def test_another_seed_is_other_people(world: World, now: datetime) -> None:
    generation = msgspec.structs.replace(world.generation, seed="another")
    other = msgspec.structs.replace(world, generation=generation)
    phones = {person.member.phone for person in draw_people(world, now=now)}
    assert {person.member.phone for person in draw_people(other, now=now)} != phones


def test_family_name_of_someone_with_one_character(world: World) -> None:
    assert family_name_of("李", world.people) == "李"
    assert family_name_of("诸葛", world.people) == "诸葛"


@pytest.mark.parametrize(
    "day,months,expected",
    [
        (date(2026, 3, 1), 14, date(2025, 1, 1)),
        (date(2026, 3, 31), 13, date(2025, 2, 28)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 31), 12, date(2025, 12, 31)),
    ],
)
def test_months_before(day: date, months: int, expected: date) -> None:
    assert months_before(day, months) == expected


def test_a_moment_without_a_time_zone_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="time zone"):
        draw_people(world, now=datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001 - that is the point
