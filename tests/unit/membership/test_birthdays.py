"""What a date field may send as a birthday, and from which age on."""

from datetime import UTC, date, datetime

import pytest

from o2o.membership.actions.correct_profile import read_birthday
from o2o.membership.errors_privacy import BirthdayUnusable, GuardianNeeded

# In Shanghai it is the first of March already.
NOW = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed, day",
    [
        ("", None),
        (" 1990-05-17 ", date(1990, 5, 17)),
        ("2012-03-01", date(2012, 3, 1)),
        ("2012-02-29", date(2012, 2, 29)),
    ],
)
def test_birthdays(typed: str, day: date | None) -> None:
    assert read_birthday(typed, now=NOW) == day


@pytest.mark.parametrize(
    "typed", ["2099-02-30", "2099-01-01", "1800-01-01", "2026-03-01", "17.5.1990", "x", "0"]
)
def test_days_that_are_no_birthdays(typed: str) -> None:
    with pytest.raises(BirthdayUnusable):
        read_birthday(typed, now=NOW)


@pytest.mark.parametrize("typed", ["2012-03-02", "2020-06-01", "2026-02-28"])
def test_under_fourteen_a_guardian_agrees(typed: str) -> None:
    with pytest.raises(GuardianNeeded):
        read_birthday(typed, now=NOW)
