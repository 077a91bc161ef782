"""The front door: signing in and enrolling, where a refused try is counted though it is refused.

Each way in takes several transactions, which is why these functions are given the session factory:
the try is counted and committed, then the secret is checked (slow, on a thread, with no
transaction open), then what followed is written. A refusal is raised after its commit.
"""

from uuid import UUID

from o2o.infra.audit import Actor, note
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.passwords import check_secret_aside
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.text import without_controls
from o2o.staff import queries
from o2o.staff.actions import enrol_pad as enrolling
from o2o.staff.actions.count_guess import count_guess, forget_guesses, guess_key
from o2o.staff.actions.enrol_pad import EnrolledPad
from o2o.staff.actions.sign_in_at_pad import SignedIn, sign_in_at_pad
from o2o.staff.actions.sign_in_to_console import sign_in_to_console
from o2o.staff.actions.try_pin import begin_pin_try, note_right_pin, note_wrong_pin
from o2o.staff.errors import (
    PadEnrolmentInvalid,
    PadEnrolmentLocked,
    PINLocked,
    SignInLocked,
    SignInRefused,
)
from o2o.staff.rules import (
    ENROLMENT_LIMIT,
    ENROLMENT_LIMIT_OF_ALL,
    PASSWORD_CHARS_MAX,
    PASSWORD_LIMIT,
    fold_login,
)

PAD_NAME_CHARS_MAX = 40


class FrontDoor:
    """The ways in for staff; one per process."""

    def __init__(self, *, sessions: SessionFactory, seal: Seal, clock: Clock) -> None:
        """Keep what every way in needs."""
        self._sessions = sessions
        self._seal = seal
        self._clock = clock

    async def sign_in_at_pad(self, *, pad_id: UUID, login: str, pin: str) -> SignedIn:
        """Open a session on an enrolled pad.

        Raises SignInRefused (unknown login and wrong PIN alike), PINLocked after five wrong PINs
        until a manager unlocks, WrongStore, PadNotFound for a revoked pad.
        """
        async with transaction(self._sessions) as tx:
            pad = await queries.get_pad_in_use(tx, pad_id)
            tried = await begin_pin_try(tx, login=fold_login(login))
        # Also for nobody and for the locked: the answer takes the same time.
        is_right = await check_secret_aside(tried.pin_hash, pin[:PASSWORD_CHARS_MAX])
        now = self._clock.now()
        if tried.staff_id is None or not is_right:
            async with transaction(self._sessions) as tx:
                locks = await note_wrong_pin(
                    tx, staff_id=tried.staff_id, pad_id=pad_id, store_id=pad.store_id, now=now
                )
            raise PINLocked if tried.is_locked or locks else SignInRefused
        async with transaction(self._sessions) as tx:
            await note_right_pin(tx, staff_id=tried.staff_id)
        async with transaction(self._sessions) as tx:
            return await sign_in_at_pad(
                tx, seal=self._seal, staff_id=tried.staff_id, pad_id=pad_id, now=now
            )

    async def sign_in_to_console(self, *, login: str, password: str) -> SignedIn:
        """Open a session at the console.

        Raises SignInRefused (unknown login and wrong password alike), SignInLocked after five
        tries in a quarter of an hour, whether the login exists or not; NoRole.
        """
        folded = fold_login(login)
        key = guess_key(PASSWORD_LIMIT, folded)
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            wait = await count_guess(tx, key, limit=PASSWORD_LIMIT, now=now)
            staff = await queries.find_staff_by_login(tx, folded)
            if wait is not None:
                await note(tx, actor=Actor("browser"), action="staff.sign_in_locked", at=now)
        if wait is not None:
            raise SignInLocked(retry_after_seconds=wait)
        kept = staff.password_hash if staff and staff.disabled_at is None else None
        is_right = await check_secret_aside(kept, password[:PASSWORD_CHARS_MAX])
        now = self._clock.now()
        if staff is None or not is_right:
            async with transaction(self._sessions) as tx:
                subject = ("staff", staff.id) if staff else None
                action = "staff.sign_in_refused"
                await note(tx, actor=Actor("browser"), action=action, at=now, subject=subject)
            raise SignInRefused
        async with transaction(self._sessions) as tx:
            await forget_guesses(tx, key)
            return await sign_in_to_console(tx, seal=self._seal, staff_id=staff.id, now=now)

    async def enrol_pad(self, *, code: str, name: str, client: str) -> EnrolledPad:
        """Turn the browser at address `client` into a pad.

        Raises PadEnrolmentInvalid, PadEnrolmentLocked after too many wrong codes.
        """
        now = self._clock.now()
        of_client = guess_key(ENROLMENT_LIMIT, client)
        of_all = guess_key(ENROLMENT_LIMIT_OF_ALL, "")
        digits = "".join(c for c in code if c.isascii() and c.isdigit())
        title = without_controls(name)[:PAD_NAME_CHARS_MAX] or "pad"
        async with transaction(self._sessions) as tx:
            # In one order for everybody, before the code is touched: tries at once queue here.
            waits = [
                await count_guess(tx, of_all, limit=ENROLMENT_LIMIT_OF_ALL, now=now),
                await count_guess(tx, of_client, limit=ENROLMENT_LIMIT, now=now),
            ]
            pad = None
            if not any(waits):
                pad = await enrolling.enrol_pad(
                    tx, seal=self._seal, code=digits, name=title, now=now
                )
            if pad is not None:
                await forget_guesses(tx, of_client)
        wait = max((seconds for seconds in waits if seconds), default=None)
        if wait is not None:
            raise PadEnrolmentLocked(retry_after_seconds=wait)
        if pad is None:
            raise PadEnrolmentInvalid
        return pad
