"""Typed reasons of transfers in SQL: how they are read, and whether they are as they were typed."""

from o2o.ledger.reasons import MARK

# Of a transfer `t`. What stands in the books under the mark is a hash, nothing to be shown.
REASON_OF_TRANSFER = (
    "coalesce((SELECT n.reason FROM ledger_reasons n WHERE n.transfer_id = t.id),"  # noqa: S608 - our own
    f" CASE WHEN t.reason NOT LIKE '{MARK}%' THEN t.reason END)"
)

CHECKS_OF_REASONS: dict[str, str] = {
    "reasons_are_as_typed": (
        "SELECT n.transfer_id::text, coalesce(t.reason, 'no reason'),"  # noqa: S608 - our own
        f" '{MARK}' || encode(sha256(n.salt || convert_to(n.reason, 'UTF8')), 'hex')"
        " FROM ledger_reasons n LEFT JOIN ledger_transfers t ON t.id = n.transfer_id"
        " WHERE t.reason IS DISTINCT FROM"
        f" '{MARK}' || encode(sha256(n.salt || convert_to(n.reason, 'UTF8')), 'hex')"
        # Gone it may be with a member who left, and with nobody else.
        " UNION ALL SELECT t.id::text, t.reason, 'no words' FROM ledger_transfers t"
        f" WHERE t.reason LIKE '{MARK}%'"
        " AND NOT EXISTS (SELECT 1 FROM ledger_reasons n WHERE n.transfer_id = t.id)"
        " AND NOT EXISTS (SELECT 1 FROM ledger_accounts a"
        " WHERE a.id IN (t.from_account_id, t.to_account_id) AND a.closed_at IS NOT NULL)"
    ),
}
