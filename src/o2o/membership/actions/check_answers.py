"""Check for a batch of charges that the member said yes where that is needed; ask for the rest."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ChargeAnswerStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.live import live_push
from o2o.infra.outbox import Errand, publish, send
from o2o.kernel.business_day import day_began
from o2o.kernel.ids import MemberId, RequestId, StoreId
from o2o.ledger.errors import InsufficientBalance
from o2o.ledger.queries import list_wallets
from o2o.membership.actions.check_visits import Charge, Cleared
from o2o.membership.errors_counter import ChargeRefused, ConfirmationNeeded
from o2o.membership.events import ChargeAsked
from o2o.membership.queries.answers import (
    AskedCharge,
    CounterRules,
    list_asked_charges,
    sum_unanswered,
)
from o2o.membership.rules.answers import needs_answer
from o2o.membership.scanners import ByKey

Pair = tuple[Charge, Cleared]

# Asked again in a later visit, or when the time to answer ran out, the question is open once more.
# A no stays a no, and a yes that still counts stays a yes.
_ASK = text(
    "INSERT INTO charge_answers AS a"
    " (request_id, visit_id, member_id, store_id, amount_fen, status, asked_at, expires_at)"
    " SELECT request_id, visit_id, member_id, store_id, amount_fen, 'asked', asked_at, expires_at"
    " FROM unnest(CAST(:request_ids AS uuid[]), CAST(:visit_ids AS uuid[]),"
    " CAST(:member_ids AS uuid[]), CAST(:store_ids AS uuid[]), CAST(:amounts AS bigint[]),"
    " CAST(:ats AS timestamptz[]), CAST(:expires AS timestamptz[]))"
    " AS q(request_id, visit_id, member_id, store_id, amount_fen, asked_at, expires_at)"
    " ORDER BY request_id"
    " ON CONFLICT (request_id) DO UPDATE SET visit_id = excluded.visit_id, status = 'asked',"
    " asked_at = excluded.asked_at, expires_at = excluded.expires_at, answered_at = NULL,"
    " answered_via = NULL"
    " WHERE a.status <> 'refused' AND a.expires_at <= excluded.asked_at"
    " RETURNING a.request_id"
)


async def check_answers(
    tx: Tx,
    commands: Sequence[Charge],
    cleared: Sequence[Cleared],
    *,
    rules: dict[UUID, CounterRules],
) -> None:
    """Refuse what needs the member's yes and has none; the member's phone is asked at once.

    The members are locked already (check_visits), so that two charges at once cannot both fit into
    what is left of the day. Nobody is asked for what the card does not hold. Facts:
    ConfirmationNeeded, ChargeRefused, RequestBodyDiffers, InsufficientBalance.
    """
    pairs = [
        (command, clear)
        for command, clear in zip(commands, cleared, strict=True)
        if clear.refusal is None and not clear.is_known and _is_bound(command, clear)
    ]
    if not pairs:
        return
    asked = await list_asked_charges(tx, [command.request_id for command, _ in pairs])
    spent = await sum_unanswered(tx, {c.member_id: _day_began(c, clear) for c, clear in pairs})
    unanswered: list[Pair] = []
    for command, clear in pairs:
        answer = asked.get(command.request_id)
        if answer is not None and _differs(command, answer):
            clear.refusal = RequestBodyDiffers(request_id=str(command.request_id))
        elif answer is not None and answer.status is ChargeAnswerStatus.REFUSED:
            clear.refusal = ChargeRefused()
        elif _is_confirmed(command, answer):
            continue
        elif _needs(command, clear, spent_fen=spent.get(command.member_id, 0), rules=rules):
            unanswered.append((command, clear))
        else:
            spent[command.member_id] = spent.get(command.member_id, 0) + command.amount_fen
    covered = await _covered(tx, unanswered)
    for command, clear in covered:
        clear.refusal = _needed(command, clear)
    # The same intention twice in one batch is one question.
    await _ask(
        tx, list({command.request_id: (command, clear) for command, clear in covered}.values())
    )


async def _covered(tx: Tx, pairs: Sequence[Pair]) -> list[Pair]:
    """Return those that the card can pay for now; the others are refused."""
    if not pairs:
        return []
    members = sorted({MemberId(command.member_id) for command, _ in pairs})
    wallets = await list_wallets(tx, members)
    covered = []
    for command, clear in pairs:
        wallet = wallets.get(MemberId(command.member_id))
        balance_fen = wallet.balance_fen if wallet else 0
        if command.amount_fen <= balance_fen:
            covered.append((command, clear))
            continue
        clear.refusal = InsufficientBalance(balance_fen=balance_fen)
        if clear.is_just_opened:
            clear.refusal.detail["visit_id"] = str(clear.visit_id)
    return covered


def _is_bound(command: Charge, clear: Cleared) -> bool:
    """Whether the limits bind this one: in a visit, and by nobody who may do without."""
    if clear.visit_id is None:
        return False
    by = command.by
    is_exempt = (
        isinstance(by, ByKey)
        and by.can_debit_unattended
        and command.amount_fen <= by.unattended_debit_fen_max
    )
    return not is_exempt


def _day_began(command: Charge, clear: Cleared) -> datetime:
    assert clear.store is not None
    return day_began(command.now, hours=clear.store.hours, timezone=clear.store.timezone)


def _differs(command: Charge, answer: AskedCharge) -> bool:
    return (answer.member_id, answer.store_id, answer.amount_fen) != (
        command.member_id,
        command.by.store_id,
        command.amount_fen,
    )


def _is_confirmed(command: Charge, answer: AskedCharge | None) -> bool:
    return (
        answer is not None
        and answer.status is ChargeAnswerStatus.CONFIRMED
        and answer.expires_at > command.now
    )


def _needs(
    command: Charge, clear: Cleared, *, spent_fen: int, rules: dict[UUID, CounterRules]
) -> bool:
    assert clear.member is not None
    return needs_answer(
        amount_fen=command.amount_fen,
        unanswered_fen=spent_fen,
        via=clear.via,
        limits=rules[clear.member.brand_id].limits,
    )


def _needed(command: Charge, clear: Cleared) -> ConfirmationNeeded:
    assert clear.visit_id is not None
    return ConfirmationNeeded(
        request_id=command.request_id,
        visit_id=clear.visit_id,
        amount_fen=command.amount_fen,
        expires_at=clear.expires_at or command.now,
    )


async def _ask(tx: Tx, pairs: Sequence[Pair]) -> None:
    if not pairs:
        return
    rows = await tx.execute(
        _ASK,
        {
            "request_ids": [c.request_id for c, _ in pairs],
            "visit_ids": [clear.visit_id for _, clear in pairs],
            "member_ids": [c.member_id for c, _ in pairs],
            "store_ids": [c.by.store_id for c, _ in pairs],
            "amounts": [c.amount_fen for c, _ in pairs],
            "ats": [c.now for c, _ in pairs],
            "expires": [clear.expires_at for _, clear in pairs],
        },
    )
    fresh = {row.request_id for row in rows}
    new = [command for command, _ in pairs if command.request_id in fresh]
    if not new:
        return
    now = max(command.now for command in new)
    await send(tx, [_push(command) for command in new], now=now)
    await publish(tx, *[_event(command) for command in new], now=now)


def _push(command: Charge) -> Errand:
    return live_push(
        f"member:{command.member_id}", "charge_asked", {"request_id": str(command.request_id)}
    )


def _event(command: Charge) -> ChargeAsked:
    return ChargeAsked(
        request_id=RequestId(command.request_id),
        member_id=MemberId(command.member_id),
        store_id=StoreId(command.by.store_id),
        amount_fen=command.amount_fen,
        at=command.now,
    )
