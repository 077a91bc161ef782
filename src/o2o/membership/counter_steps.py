"""What a clerk does one by one at the counter, where a refused try is counted though it is refused.

Each step takes a transaction or two of its own, which is why these are given the session factory:
what has to stay is committed, and a refusal is raised after that commit.
"""

from datetime import datetime, timedelta
from uuid import UUID

from o2o.crm.statuses import ChargeAnswerVia, StaffRoleName, VisitVia
from o2o.infra.audit import Actor, note
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.passwords import check_secret_aside
from o2o.kernel.clock import Clock
from o2o.kernel.text import fold_width
from o2o.membership.actions.answer_charge import confirm_charge
from o2o.membership.actions.identify_member import identify_member
from o2o.membership.actions.open_visits import OpenedVisit
from o2o.membership.actions.pay_pin import check_pay_pin
from o2o.membership.errors import CodeUnknown, MemberNotFound, ScanLocked
from o2o.membership.errors_counter import (
    ChargeNotAsked,
    LookupLocked,
    ManagerRefused,
    TailTooShort,
)
from o2o.membership.errors_identity import CardReplaced, CardReportedLost
from o2o.membership.queries.answers import find_charge_of_pad
from o2o.membership.queries.card_fates import find_card_refusal
from o2o.membership.queries.lookups import TAIL_DIGITS_MIN, FoundMember, list_members_by_tail
from o2o.membership.queries.members import find_member_by_card
from o2o.membership.scanners import SCAN_LIMIT, AtPad
from o2o.staff.actions.count_guess import GuessLimit, count_guess, guess_key, seconds_until
from o2o.staff.actions.try_pin import begin_pin_try, note_right_pin, note_wrong_pin
from o2o.staff.errors import PINLocked
from o2o.staff.queries import exists_role, get_pad_in_use, list_guess_locks

# A busy counter, not somebody who goes through all numbers.
LOOKUP_LIMIT = GuessLimit(
    use="lookup", free=20, window=timedelta(minutes=5), lock=timedelta(minutes=5)
)
TAIL_DIGITS_MAX = 11
PIN_CHARS_MAX = 64


class CounterSteps:
    """The single steps of one process."""

    def __init__(self, *, sessions: SessionFactory, clock: Clock) -> None:
        """Keep what every step needs."""
        self._sessions = sessions
        self._clock = clock

    async def identify_by_card(self, card_no: str, *, by: AtPad) -> OpenedVisit:
        """Open a visit with the number of a printed card, which identifies only.

        Raises CodeUnknown for a number of nobody's, ScanLocked after six of them in a minute;
        CardReportedLost, CardReplaced.
        """
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            locks = await list_guess_locks(tx, [by.guess_key], now=now)
            if until := locks.get(by.guess_key):
                raise ScanLocked(retry_after_seconds=seconds_until(until, now))
            member_id = await find_member_by_card(tx, brand_id=by.brand_id, card_no=card_no)
            if member_id is not None:
                return await identify_member(
                    tx, member_id=member_id, by=by, via=VisitVia.CARD_NO, now=now
                )
            refusal = await find_card_refusal(tx, brand_id=by.brand_id, card_no=card_no)
            if isinstance(refusal, CardReportedLost | CardReplaced):
                raise refusal
            wait = await count_guess(tx, by.guess_key, limit=SCAN_LIMIT, now=now)
        if wait is not None:
            raise ScanLocked(retry_after_seconds=wait)
        raise CodeUnknown

    async def look_up(self, tail: str, *, by: AtPad) -> list[FoundMember]:
        """Return the brand's members whose phone ends so. Every look is counted and noted.

        Raises TailTooShort, LookupLocked.
        """
        digits, now = _tail(tail), self._clock.now()
        async with transaction(self._sessions) as tx:
            wait = await self._count_look(tx, by=by, now=now)
            found = []
            if wait is None:
                found = await list_members_by_tail(tx, brand_id=by.brand_id, tail=digits)
                await note(
                    tx,
                    actor=Actor("staff", by.staff_id),
                    action="member.looked_up",
                    at=now,
                    subject=("pad", by.pad_id),
                    store_id=by.store_id,
                    found=len(found),
                )
        if wait is not None:
            raise LookupLocked(retry_after_seconds=wait)
        return found

    async def identify_by_tail(self, tail: str, *, member_id: UUID, by: AtPad) -> OpenedVisit:
        """Open a visit for one of those that were found, which identifies only.

        Who was looked up was counted then; only a wrong choice is counted once more, or a counter
        could serve half as many as it may look up. Raises TailTooShort, LookupLocked,
        MemberNotFound when that member's phone ends otherwise.
        """
        digits, now = _tail(tail), self._clock.now()
        key = guess_key(LOOKUP_LIMIT, by.pad_id)
        async with transaction(self._sessions) as tx:
            if until := (await list_guess_locks(tx, [key], now=now)).get(key):
                raise LookupLocked(retry_after_seconds=seconds_until(until, now))
            if await list_members_by_tail(
                tx, brand_id=by.brand_id, tail=digits, member_id=member_id
            ):
                return await identify_member(
                    tx, member_id=member_id, by=by, via=VisitVia.PHONE_TAIL, now=now
                )
            wait = await self._count_look(tx, by=by, now=now)
        if wait is not None:
            raise LookupLocked(retry_after_seconds=wait)
        raise MemberNotFound(member_id=member_id)

    async def _count_look(self, tx: Tx, *, by: AtPad, now: datetime) -> int | None:
        key = guess_key(LOOKUP_LIMIT, by.pad_id)
        return await count_guess(tx, key, limit=LOOKUP_LIMIT, now=now)

    async def answer_by_pin(self, *, request_id: UUID, visit_id: UUID, pin: str, by: AtPad) -> None:
        """Say the member's yes to a charge with the pay PIN typed at the pad.

        Only for a charge that is asked about in this pad's live visit: nobody's PIN is tried
        without the member there. Raises ChargeNotAsked, PayPinMissing, PayPinWrong, PayPinLocked.
        """
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            charge = await find_charge_of_pad(
                tx, request_id, visit_id=visit_id, pad_id=by.pad_id, now=now
            )
        if charge is None:
            raise ChargeNotAsked
        async with transaction(self._sessions) as tx:
            # Before the first statement: tries are counted beside this transaction.
            await check_pay_pin(tx, member_id=charge.member_id, pin=pin, now=now)
            await confirm_charge(
                tx,
                request_id=request_id,
                member_id=charge.member_id,
                via=ChargeAnswerVia.PAY_PIN,
                now=now,
            )

    async def manager_by_pin(self, *, login: str, pin: str, by: AtPad) -> UUID:
        """Return the manager of the pad's store whose PIN it is; the clerk stays signed in.

        Raises ManagerRefused (nobody's login, wrong PIN and no manager alike), PINLocked.
        """
        async with transaction(self._sessions) as tx:
            await get_pad_in_use(tx, by.pad_id)
            tried = await begin_pin_try(tx, login=fold_width(login).casefold())
        is_right = await check_secret_aside(tried.pin_hash, pin[:PIN_CHARS_MAX])
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            locks = False
            is_manager = False
            if tried.staff_id is None or not is_right:
                locks = await note_wrong_pin(
                    tx,
                    staff_id=tried.staff_id,
                    pad_id=by.pad_id,
                    store_id=by.store_id,
                    now=now,
                )
            else:
                await note_right_pin(tx, staff_id=tried.staff_id)
                is_manager = await exists_role(
                    tx,
                    staff_id=tried.staff_id,
                    store_id=by.store_id,
                    roles=[StaffRoleName.MANAGER],
                )
        if tried.is_locked or locks:
            raise PINLocked
        if tried.staff_id is None or not is_manager:
            raise ManagerRefused
        return tried.staff_id


def _tail(typed: str) -> str:
    digits = fold_width(typed)
    is_tail = digits.isascii() and digits.isdecimal()
    if not is_tail or not TAIL_DIGITS_MIN <= len(digits) <= TAIL_DIGITS_MAX:
        raise TailTooShort
    return digits
