"""The till: what pads and the API do with scans and money, committed in batches per process.

The way in for `web`: a scanned text is understood before any SQL (a misread code spends no guess),
everything else goes through coalescers, and a refusal is raised after what it changed is committed.
"""

from uuid import UUID

from o2o.crm.statuses import Tender
from o2o.infra.coalescer import Coalescer
from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.ids import RequestId
from o2o.kernel.text import without_controls
from o2o.ledger.actions.debit_stored_value import Transferred
from o2o.membership.actions.charge_at_counter import ChargeAtCounter, charge_at_counter
from o2o.membership.actions.issue_member_code import code_hash
from o2o.membership.actions.open_visits import OpenedVisit, OpenVisit, open_visits
from o2o.membership.actions.top_up_at_counter import TopUpAtCounter, top_up_at_counter
from o2o.membership.counter_steps import CounterSteps
from o2o.membership.errors import (
    CodeChecksumWrong,
    CodeIsAlipay,
    CodeIsWeChatPay,
    QRUnreadable,
    QRWrongKind,
)
from o2o.membership.rules.member_code import ScanKind, classify_scan
from o2o.membership.scanners import AtPad, ByKey, Scanner

__all__ = ["AtPad", "ByKey", "OpenedVisit", "Till", "Transferred", "member_code_of"]

# A full house is committed in two halves: while the database works for one, this process reads and
# answers the other. With batches of 128 both wait for each other (measured with 64 connections).
CHARGES_AT_ONCE = 32

_REFUSED = {
    ScanKind.MISREAD: CodeChecksumWrong,
    ScanKind.WECHAT_PAY: CodeIsWeChatPay,
    ScanKind.ALIPAY: CodeIsAlipay,
    ScanKind.UNREADABLE: QRUnreadable,
}


def member_code_of(text: str, *, public_url: str = "") -> str:
    """Return the 20 digits of a scanned member code.

    Raises CodeChecksumWrong, CodeIsWeChatPay, CodeIsAlipay, QRUnreadable, QRWrongKind (a card's
    number, which identifies but never pays, or the address of one of our pages).
    """
    scanned = classify_scan(text, public_url=public_url)
    if scanned.kind is ScanKind.MEMBER_CODE:
        return scanned.digits
    if scanned.kind in _REFUSED:
        raise _REFUSED[scanned.kind]
    raise QRWrongKind(kind=scanned.kind.value)


class Till:
    """Scans, charges and top-ups of one process."""

    def __init__(
        self, *, sessions: SessionFactory, seal: Seal, clock: Clock, public_url: str = ""
    ) -> None:
        """Start the three queues; they run only when something is in them."""
        self._seal = seal
        self._clock = clock
        self._public_url = public_url
        self._steps = CounterSteps(sessions=sessions, clock=clock)
        self._visits = Coalescer(open_visits, sessions=sessions)
        self._charges = Coalescer(charge_at_counter, sessions=sessions, batch_max=CHARGES_AT_ONCE)
        self._top_ups = Coalescer(top_up_at_counter, sessions=sessions)

    async def open_visit(self, text: str, *, by: Scanner) -> OpenedVisit:
        """Open a visit with what a pad or a key scanned.

        At a pad a printed card's number opens one too, which identifies only. Raises what
        member_code_of raises, and CodeUnknown, CodeExpired, CodeUsed, ScanLocked, UnlikelyTravel.
        """
        scanned = classify_scan(text, public_url=self._public_url)
        if scanned.kind is ScanKind.CARD_NO and isinstance(by, AtPad):
            return await self._steps.identify_by_card(scanned.digits, by=by)
        return await self._visits.submit(
            OpenVisit(code_hash=self._hash(text), by=by, now=self._clock.now())
        )

    async def charge(
        self,
        *,
        request_id: UUID,
        member_id: UUID,
        amount_fen: int,
        by: Scanner,
        reason: str | None = None,
        visit_id: UUID | None = None,
        member_code: str | None = None,
    ) -> Transferred:
        """Debit the card. Raises the facts of charge_at_counter and of member_code_of."""
        return await self._charges.submit(
            ChargeAtCounter(
                request_id=RequestId(request_id),
                member_id=member_id,
                amount_fen=amount_fen,
                by=by,
                reason=_readable(reason),
                visit_id=visit_id,
                code_hash=self._hash(member_code) if member_code is not None else None,
                now=self._clock.now(),
            )
        )

    async def top_up(
        self,
        *,
        request_id: UUID,
        member_id: UUID,
        principal_fen: int,
        bonus_fen: int,
        tender: Tender,
        by: Scanner,
        visit_id: UUID | None = None,
        package_id: UUID | None = None,
    ) -> Transferred:
        """Top the card up, a package by what it says. Raises the facts of top_up_at_counter."""
        return await self._top_ups.submit(
            TopUpAtCounter(
                request_id=RequestId(request_id),
                member_id=member_id,
                principal_fen=principal_fen,
                bonus_fen=bonus_fen,
                tender=tender,
                by=by,
                visit_id=visit_id,
                package_id=package_id,
                now=self._clock.now(),
            )
        )

    async def drain(self) -> None:
        """Wait until everything submitted so far is answered (for a clean shutdown)."""
        for queue in (self._visits, self._charges, self._top_ups):
            await queue.drain()

    def _hash(self, text: str) -> bytes:
        return code_hash(self._seal, member_code_of(text, public_url=self._public_url))


def _readable(reason: str | None) -> str | None:
    # PostgreSQL takes neither NUL nor half a surrogate pair, and a receipt shows no controls.
    return without_controls(reason.encode("utf-8", "ignore").decode()) or None if reason else None
