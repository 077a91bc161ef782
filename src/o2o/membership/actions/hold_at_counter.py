"""Hold at the counter: an amount is set aside on a card, under the rules of a charge.

Set-based, for the coalescer; refusals come back as data because a wrong member code is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, StoreId, VisitId
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.ledger.actions.hold_stored_value import Held, HoldStoredValue, hold_stored_value
from o2o.ledger.errors import AmountOutOfRange
from o2o.membership.actions.check_answers import check_answers
from o2o.membership.actions.check_visits import Cleared, check_visits
from o2o.membership.errors import DebitOverLimit, UnattendedNotAllowed
from o2o.membership.queries.answers import CounterRules, list_counter_rules
from o2o.membership.scanners import ByKey

__all__ = ["Held", "HoldAtCounter", "hold_at_counter"]


class HoldAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Set `amount_fen` of the member's card aside for a store until `expires_at` (exclusive).

    A key names a visit, brings a member code (as its hash), or holds unattended if it may debit so.
    """

    request_id: RequestId
    member_id: UUID
    amount_fen: int
    expires_at: datetime
    by: ByKey
    now: datetime
    reason: str | None = None
    visit_id: UUID | None = None
    code_hash: bytes | None = None


async def hold_at_counter(tx: Tx, commands: Sequence[HoldAtCounter]) -> list[Held | Fact]:
    """Answer each hold in order; sent again, it is answered from the books.

    Facts: AmountOutOfRange, those of check_visits, check_answers and hold_stored_value,
    UnattendedNotAllowed, DebitOverLimit. When a member code was spent and the hold was refused,
    the refusal's details name the visit, in which a smaller amount may follow.
    """
    # An amount that nobody can hold spends no member code: it is refused before anything else.
    sane = [command for command in commands if _amount_refusal(command) is None]
    answers = iter(await _hold(tx, sane) if sane else ())
    return [_amount_refusal(command) or next(answers) for command in commands]


async def _hold(tx: Tx, commands: Sequence[HoldAtCounter]) -> list[Held | Fact]:
    cleared = await check_visits(tx, commands, locks_visitors=True)
    rules = await list_counter_rules(tx, {c.member.brand_id for c in cleared if c.member})
    await check_answers(tx, commands, cleared, rules=rules)
    for command, clear in zip(commands, cleared, strict=True):
        if clear.refusal is None and not clear.is_known:
            clear.refusal = _unattended_refusal(command, clear)
    held = await _hold_all(tx, commands, cleared, rules=rules)
    outcomes: list[Held | Fact] = []
    for position, clear in enumerate(cleared):
        outcome = clear.refusal or held[position]
        if clear.refusal is None and isinstance(outcome, Fact) and clear.is_just_opened:
            outcome.detail["visit_id"] = str(clear.visit_id)
        outcomes.append(outcome)
    return outcomes


async def _hold_all(
    tx: Tx,
    commands: Sequence[HoldAtCounter],
    cleared: Sequence[Cleared],
    *,
    rules: dict[UUID, CounterRules],
) -> dict[int, Held | Fact]:
    """Hold what was cleared, each card in its programme's order; answers by position."""
    held: dict[int, Held | Fact] = {}
    # One order of orders for everybody, since each call locks its accounts.
    for order in sorted({rule.draw_order for rule in rules.values()}):
        positions = [
            position
            for position, clear in enumerate(cleared)
            if clear.refusal is None
            and clear.member is not None
            and rules[clear.member.brand_id].draw_order is order
        ]
        wanted = [_wanted(commands[position], cleared[position]) for position in positions]
        if wanted:
            results = await hold_stored_value(tx, wanted, order=order)
            held |= dict(zip(positions, results, strict=True))
    return held


def _amount_refusal(command: HoldAtCounter) -> Fact | None:
    if 1 <= command.amount_fen <= AMOUNT_FEN_MAX:
        return None
    return AmountOutOfRange(field="amount_fen", amount_min=1, amount_max=AMOUNT_FEN_MAX)


def _unattended_refusal(command: HoldAtCounter, clear: Cleared) -> Fact | None:
    if clear.visit_id is not None:
        return None
    if not command.by.can_debit_unattended:
        return UnattendedNotAllowed()
    if command.amount_fen > command.by.unattended_debit_fen_max:
        return DebitOverLimit(limit_fen=command.by.unattended_debit_fen_max)
    return None


def _wanted(command: HoldAtCounter, clear: Cleared) -> HoldStoredValue:
    return HoldStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(command.by.store_id),
        amount_fen=command.amount_fen,
        expires_at=command.expires_at,
        reason=command.reason,
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        api_key_id=APIKeyId(command.by.key_id),
        now=command.now,
    )
