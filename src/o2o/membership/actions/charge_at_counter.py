"""Charge at the counter: a member pays with the card, inside a visit.

Set-based, for the coalescer; refusals come back as data because a wrong member code is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, StaffId, StoreId, VisitId
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    Transferred,
    debit_stored_value,
)
from o2o.ledger.errors import AmountOutOfRange
from o2o.membership.actions.check_answers import check_answers
from o2o.membership.actions.check_visits import Cleared, check_visits
from o2o.membership.errors import DebitOverLimit, UnattendedNotAllowed
from o2o.membership.queries.answers import CounterRules, list_counter_rules
from o2o.membership.scanners import AtPad, ByKey, Scanner


class ChargeAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Take `amount_fen` from the member's card in the scanner's store.

    A pad names its visit; a key names a visit, brings a member code (as its hash), or debits
    unattended if it may.
    """

    request_id: RequestId
    member_id: UUID
    amount_fen: int
    by: Scanner
    now: datetime
    reason: str | None = None
    visit_id: UUID | None = None
    code_hash: bytes | None = None


async def charge_at_counter(
    tx: Tx, commands: Sequence[ChargeAtCounter]
) -> list[Transferred | Fact]:
    """Answer each charge in order; sent again, it is answered from the books.

    Facts: AmountOutOfRange, those of check_visits, check_answers and debit_stored_value,
    UnattendedNotAllowed, DebitOverLimit.
    When a member code was spent and the debit was refused, the refusal's details name the visit,
    in which a smaller amount may follow, or the same one once the member has said yes.
    """
    # An amount that nobody can charge spends no member code: it is refused before anything else.
    sane = [command for command in commands if _amount_refusal(command) is None]
    answers = iter(await _charge(tx, sane) if sane else ())
    return [_amount_refusal(command) or next(answers) for command in commands]


async def _charge(tx: Tx, commands: Sequence[ChargeAtCounter]) -> list[Transferred | Fact]:
    cleared = await check_visits(tx, commands, locks_visitors=True)
    rules = await list_counter_rules(tx, {c.member.brand_id for c in cleared if c.member})
    await check_answers(tx, commands, cleared, rules=rules)
    for command, clear in zip(commands, cleared, strict=True):
        if clear.refusal is None and not clear.is_known:
            clear.refusal = _unattended_refusal(command, clear)
    done = await _debit_all(tx, commands, cleared, rules=rules)
    outcomes: list[Transferred | Fact] = []
    for position, clear in enumerate(cleared):
        outcome = clear.refusal or done[position]
        if clear.refusal is None and isinstance(outcome, Fact) and clear.is_just_opened:
            outcome.detail["visit_id"] = str(clear.visit_id)
        outcomes.append(outcome)
    return outcomes


async def _debit_all(
    tx: Tx,
    commands: Sequence[ChargeAtCounter],
    cleared: Sequence[Cleared],
    *,
    rules: dict[UUID, CounterRules],
) -> dict[int, Transferred | Fact]:
    """Debit what was cleared, each card in its programme's order; answers by position."""
    done: dict[int, Transferred | Fact] = {}
    # One order of orders for everybody, since each call locks its accounts.
    for order in sorted({rule.draw_order for rule in rules.values()}):
        positions = [
            position
            for position, clear in enumerate(cleared)
            if clear.refusal is None
            and clear.member is not None
            and rules[clear.member.brand_id].draw_order is order
        ]
        debits = [_debit(commands[position], cleared[position]) for position in positions]
        if debits:
            results = await debit_stored_value(tx, debits, order=order)
            done |= dict(zip(positions, results, strict=True))
    return done


def _amount_refusal(command: ChargeAtCounter) -> Fact | None:
    if 1 <= command.amount_fen <= AMOUNT_FEN_MAX:
        return None
    return AmountOutOfRange(field="amount_fen", amount_min=1, amount_max=AMOUNT_FEN_MAX)


def _unattended_refusal(command: ChargeAtCounter, clear: Cleared) -> Fact | None:
    by = command.by
    if clear.visit_id is not None or not isinstance(by, ByKey):
        return None
    if not by.can_debit_unattended:
        return UnattendedNotAllowed()
    if command.amount_fen > by.unattended_debit_fen_max:
        return DebitOverLimit(limit_fen=by.unattended_debit_fen_max)
    return None


def _debit(command: ChargeAtCounter, clear: Cleared) -> DebitStoredValue:
    by = command.by
    return DebitStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(by.store_id),
        amount_fen=command.amount_fen,
        reason=command.reason,
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        staff_id=StaffId(by.staff_id) if isinstance(by, AtPad) else None,
        api_key_id=None if isinstance(by, AtPad) else APIKeyId(by.key_id),
        now=command.now,
    )
