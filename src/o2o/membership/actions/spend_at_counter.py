"""Spend at the counter: the rules under which an amount leaves a card, charged or set aside.

Set-based, for the coalescer; refusals come back as data because a wrong member code is counted.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.ledger.actions.debit_stored_value import DrawOrder
from o2o.ledger.errors import AmountOutOfRange
from o2o.membership.actions.check_answers import check_answers
from o2o.membership.actions.check_visits import Charge, Cleared, check_visits
from o2o.membership.errors import DebitOverLimit, UnattendedNotAllowed
from o2o.membership.queries.answers import CounterRules, list_counter_rules
from o2o.membership.scanners import ByKey

C = TypeVar("C", bound=Charge)
R = TypeVar("R")

# Moves the amounts of cleared commands in the books, all drawn in one order.
Move = Callable[[Tx, Sequence[tuple[C, Cleared]], DrawOrder], Coroutine[Any, Any, list[R | Fact]]]


async def spend_at_counter(tx: Tx, commands: Sequence[C], *, move: Move[C, R]) -> list[R | Fact]:
    """Answer each command in order; sent again, it is answered from the books.

    Facts: AmountOutOfRange, those of check_visits, check_answers and `move`, UnattendedNotAllowed,
    DebitOverLimit. When a member code was spent and the amount was refused, the refusal's details
    name the visit, in which a smaller amount may follow, or the same one once the member has said
    yes.
    """
    # An amount that nobody can spend spends no member code: it is refused before anything else.
    refusals = [_amount_refusal(command) for command in commands]
    sane = [command for command, refusal in zip(commands, refusals, strict=True) if refusal is None]
    answers = iter(await _spend(tx, sane, move=move) if sane else ())
    return [next(answers) if refusal is None else refusal for refusal in refusals]


async def _spend(tx: Tx, commands: Sequence[C], *, move: Move[C, R]) -> list[R | Fact]:
    cleared = await check_visits(tx, commands, locks_visitors=True)
    rules = await list_counter_rules(tx, {c.member.brand_id for c in cleared if c.member})
    await check_answers(tx, commands, cleared, rules=rules)
    for command, clear in zip(commands, cleared, strict=True):
        if clear.refusal is None and not clear.is_known:
            clear.refusal = _unattended_refusal(command, clear)
    done = await _move_all(tx, commands, cleared, rules=rules, move=move)
    outcomes: list[R | Fact] = []
    for position, clear in enumerate(cleared):
        outcome = clear.refusal or done[position]
        if clear.refusal is None and isinstance(outcome, Fact) and clear.is_just_opened:
            outcome.detail["visit_id"] = str(clear.visit_id)
        outcomes.append(outcome)
    return outcomes


async def _move_all(
    tx: Tx,
    commands: Sequence[C],
    cleared: Sequence[Cleared],
    *,
    rules: dict[UUID, CounterRules],
    move: Move[C, R],
) -> dict[int, R | Fact]:
    """Move what was cleared, each card in its programme's order; answers by position."""
    done: dict[int, R | Fact] = {}
    # One order of orders for everybody, since each call locks its accounts.
    for order in sorted({rule.draw_order for rule in rules.values()}):
        positions = [
            position
            for position, clear in enumerate(cleared)
            if clear.refusal is None
            and clear.member is not None
            and rules[clear.member.brand_id].draw_order is order
        ]
        if positions:
            pairs = [(commands[position], cleared[position]) for position in positions]
            done |= dict(zip(positions, await move(tx, pairs, order), strict=True))
    return done


def _amount_refusal(command: Charge) -> Fact | None:
    if 1 <= command.amount_fen <= AMOUNT_FEN_MAX:
        return None
    return AmountOutOfRange(field="amount_fen", amount_min=1, amount_max=AMOUNT_FEN_MAX)


def _unattended_refusal(command: Charge, clear: Cleared) -> Fact | None:
    by = command.by
    if clear.visit_id is not None or not isinstance(by, ByKey):
        return None
    if not by.can_debit_unattended:
        return UnattendedNotAllowed()
    if command.amount_fen > by.unattended_debit_fen_max:
        return DebitOverLimit(limit_fen=by.unattended_debit_fen_max)
    return None
