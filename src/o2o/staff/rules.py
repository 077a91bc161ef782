"""Staff: what a secret must be like, how many guesses are free, which roles work at a pad."""

import re
from datetime import timedelta
from itertools import pairwise

import msgspec

from o2o.crm.statuses import StaffRoleName
from o2o.kernel.text import without_controls

PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 128
PIN_FAILURES_MAX = 5
ENROLMENT_DIGITS = 8
ENROLMENT_LASTS = timedelta(minutes=10)

SCOPES = frozenset(
    {
        "members:read",
        "top_ups:write",
        "top_ups:reverse",
        "debits:write",
        # Without a member at the counter, up to the key's limit; for holds likewise.
        "debits:unattended",
        "debits:reverse",
        "holds:write",
        "points:write",
        "bookings:read",
        "bookings:write",
        "queues:read",
        "queues:write",
    }
)
# Whoever has work at the counter or in the kitchen; the others have the console.
PAD_ROLES = frozenset({StaffRoleName.CLERK, StaffRoleName.KITCHEN, StaffRoleName.MANAGER})

_PIN = re.compile(r"[0-9]{6,12}", re.ASCII)


class GuessLimit(msgspec.Struct, frozen=True, kw_only=True):
    """So many wrong guesses are free within a window; one more locks for a while."""

    use: str
    free: int
    window: timedelta
    lock: timedelta


PASSWORD_LIMIT = GuessLimit(
    use="password", free=5, window=timedelta(minutes=15), lock=timedelta(minutes=5)
)
# By address, since nobody is signed in yet; eight digits are few.
ENROLMENT_LIMIT = GuessLimit(
    use="pad_enrolment", free=5, window=timedelta(minutes=1), lock=timedelta(minutes=1)
)
# All addresses together: a hundred million codes, ten minutes, and never more tries than this.
ENROLMENT_LIMIT_OF_ALL = GuessLimit(
    use="pad_enrolment_all", free=100, window=timedelta(minutes=1), lock=timedelta(minutes=1)
)


def is_pin_strong(pin: str) -> bool:
    """Six to twelve digits, not all alike and not a run such as 123456 or 654321."""
    if not _PIN.fullmatch(pin):
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return not (len(steps) == 1 and steps <= {0, 1, 9})


def is_password_strong(password: str, *, login: str) -> bool:
    """At least twelve characters, at most 128, not one repeated, without the login alone in it."""
    return (
        PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX
        and len(set(password)) >= 5
        and password.casefold().strip() != login.casefold()
    )


def fold_login(login: str) -> str:
    """Bring a typed login into the form in which logins are kept."""
    return without_controls(login).casefold()
