"""Tables of somebody's money and points. The books stay, under a number that names nobody."""

from o2o.ledger.queries.reasons import REASON_OF_TRANSFER
from o2o.membership.queries.personal_data.knowledge import (
    ERASED,
    OF_ACCOUNT,
    OF_MEMBER,
    OF_TRANSFER,
    Fate,
    Knowledge,
)

_BOOKS = "the books are kept for five years and add up; they know a number"
_IN_STATEMENT = "told by the statement"

MONEY: tuple[Knowledge, ...] = (
    Knowledge(
        table="ledger_accounts",
        whose="t.owner_id = ANY(CAST(:member_ids AS uuid[]))",
        fate=Fate.KEEP,
        why=_BOOKS,
        given="t.kind, t.balance, t.created_at",
        order="t.kind",
    ),
    Knowledge(
        table="ledger_entries",
        whose=OF_ACCOUNT,
        fate=Fate.KEEP,
        why=_BOOKS,
        given=(
            "x.created_at AS at, x.kind, a.asset, t.amount, t.balance_after, s.name AS store,"
            f" x.tender, {REASON_OF_TRANSFER.replace('t.', 'x.')} AS reason"
        ),
        joins=(
            "JOIN ledger_transfers x ON x.id = t.transfer_id"
            " JOIN ledger_accounts a ON a.id = t.account_id LEFT JOIN stores s ON s.id = x.store_id"
        ),
        order="t.seq",
    ),
    Knowledge(
        table="ledger_transfers",
        whose=OF_TRANSFER.replace("t.transfer_id", "t.id"),
        fate=Fate.KEEP,
        why=_BOOKS,
        untold=_IN_STATEMENT,
    ),
    Knowledge(
        table="ledger_reasons",
        whose=OF_TRANSFER,
        fate=Fate.DELETE,
        untold=_IN_STATEMENT,
    ),
    Knowledge(
        table="counter_undos",
        whose=OF_TRANSFER,
        fate=Fate.SCRUB,
        scrub=f"reason = '{ERASED}'",
        why=_BOOKS,
        given="t.reason, t.undone_at",
        order="t.undone_at",
    ),
    Knowledge(
        table="ledger_lots",
        whose=OF_ACCOUNT,
        fate=Fate.KEEP,
        why=_BOOKS,
        given="t.kind, t.granted, t.remaining, t.granted_at, t.expires_at",
        order="t.granted_at",
    ),
    Knowledge(
        table="ledger_holds",
        whose=OF_ACCOUNT,
        fate=Fate.KEEP,
        why=_BOOKS,
        given="t.amount, t.status, t.created_at, t.ended_at",
        order="t.created_at",
    ),
    Knowledge(
        table="points_earnings",
        whose=OF_MEMBER,
        fate=Fate.KEEP,
        why=_BOOKS,
        given="t.base_fen, t.spend_points, t.visit_points, t.taken_back, t.earned_at",
        order="t.earned_at",
    ),
    Knowledge(
        table="adjustments",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub=(
            f"reason = '{ERASED}', decision_note ="
            f" CASE WHEN t.decision_note IS NULL THEN NULL ELSE '{ERASED}' END"
        ),
        why=_BOOKS,
        given="t.asset, t.delta, t.reason, t.status, t.proposed_at, t.decided_at",
        order="t.proposed_at",
    ),
    Knowledge(
        table="refund_requests",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub=(
            "payee_sealed = NULL,"
            f" refusal = CASE WHEN t.refusal IS NULL THEN NULL ELSE '{ERASED}' END"
        ),
        why=_BOOKS,
        given="t.quoted_fen, t.payout, t.status, t.asked_at, t.ended_at, t.refusal",
        order="t.asked_at",
    ),
    Knowledge(
        table="pass_on_offers",
        whose=(
            "(t.from_member_id = ANY(CAST(:member_ids AS uuid[]))"
            " OR t.to_member_id = ANY(CAST(:member_ids AS uuid[])))"
        ),
        fate=Fate.SCRUB,
        scrub="message = NULL, token_hash = NULL",
        why=_BOOKS,
        given=(
            "t.from_member_id = ANY(CAST(:member_ids AS uuid[])) AS given_away, t.amount_fen,"
            " t.message, t.status, t.offered_at, t.ended_at"
        ),
        order="t.offered_at",
    ),
)
