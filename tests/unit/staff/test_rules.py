"""What secrets must be like, and that checking them tells nothing but yes or no."""

import pytest

from o2o.infra.passwords import hash_secret, is_secret_right
from o2o.staff.rules import fold_login, is_password_strong, is_pin_strong


@pytest.mark.parametrize("pin", ["602817", "914073", "000001", "112233445566"])
def test_ordinary_pins_are_taken(pin: str) -> None:
    assert is_pin_strong(pin)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12345",
        "111111",
        "123456",
        "654321",
        "890123",
        "60281a",
        "６０２８１７",
        "6" * 13,
        " 602817",
    ],
)
def test_trivial_pins_are_not(pin: str) -> None:
    assert not is_pin_strong(pin)


def test_passwords_are_long_and_varied() -> None:
    assert is_password_strong("demo-only-linfan", login="linfan")
    assert not is_password_strong("short", login="linfan")
    assert not is_password_strong("aaaaaaaaaaaaaaaa", login="linfan")
    assert not is_password_strong("LinFanLinFan ", login="linfanlinfan")
    assert not is_password_strong("abcde" * 40, login="linfan")


def test_logins_are_folded() -> None:
    assert fold_login("  ChenJie\n") == "chenjie"


def test_a_secret_is_right_only_against_its_own_hash() -> None:
    kept = hash_secret("602817")
    assert kept.startswith("$argon2id$")
    assert is_secret_right(kept, "602817")
    assert not is_secret_right(kept, "602818")
    assert not is_secret_right(None, "602817")
    assert not is_secret_right("", "602817")
    assert not is_secret_right("not a hash", "602817")
