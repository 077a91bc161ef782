"""Checks of lots: what came in, what was drawn, what was given back, and whose it was before."""

CHECKS_OF_LOTS: dict[str, str] = {
    "lots_less_draws_remain": (
        "SELECT l.id::text, (l.granted - coalesce(d.amount, 0) + coalesce(r.amount, 0))::text,"
        " l.remaining::text FROM ledger_lots l LEFT JOIN (SELECT lot_id, sum(amount) AS amount"
        " FROM ledger_lot_draws GROUP BY lot_id) d ON d.lot_id = l.id"
        " LEFT JOIN (SELECT lot_id, sum(amount) AS amount"
        " FROM ledger_lot_returns GROUP BY lot_id) r ON r.lot_id = l.id"
        " WHERE l.granted - coalesce(d.amount, 0) + coalesce(r.amount, 0) <> l.remaining"
    ),
    "lots_come_from_their_transfers": (
        "SELECT coalesce(l.id, t.id)::text, k.lot || ' lot of ' || t.amount || ' in '"
        " || t.to_account_id, coalesce(l.kind || ' lot of ' || l.granted || ' in '"
        " || l.account_id, 'no lot')"
        " FROM ledger_transfers t JOIN grants k"
        " ON k.kind = t.kind LEFT JOIN ledger_lots l ON l.origin_transfer_id = t.id"
        " WHERE (l.kind, l.granted, l.account_id)"
        " IS DISTINCT FROM (k.lot, t.amount, t.to_account_id)"
    ),
    "lots_are_granted_once": (
        "SELECT t.id::text, '1 lot at most, only of a grant', count(*) || ' lots of ' || t.kind"
        " FROM ledger_lots l JOIN ledger_transfers t ON t.id = l.origin_transfer_id"
        " LEFT JOIN grants k ON k.kind = t.kind"
        " WHERE t.kind NOT IN ('passed_on', 'merged', 'adjusted_up') GROUP BY t.id, t.kind, k.lot"
        " HAVING count(*) > 1 OR k.lot IS NULL"
    ),
    "carried_lots_sum_to_their_transfers": (
        "SELECT t.id::text, t.amount || ' in ' || t.to_account_id,"
        " coalesce(l.granted, 0) || ' in ' || coalesce(l.accounts, 'no account')"
        " FROM ledger_transfers t LEFT JOIN (SELECT origin_transfer_id, sum(granted) AS granted,"
        " string_agg(DISTINCT account_id::text, ' and ') AS accounts"
        " FROM ledger_lots GROUP BY origin_transfer_id) l ON l.origin_transfer_id = t.id"
        " WHERE t.kind IN ('passed_on', 'merged', 'adjusted_up')"
        " AND (coalesce(l.granted, 0) <> t.amount OR l.accounts <> t.to_account_id::text)"
    ),
    "carried_lots_keep_their_origin": (
        "SELECT l.id::text, p.kind || ', granted ' || p.granted_at || ', out of '"
        " || t.from_account_id || ', ' || coalesce(d.amount, 0),"
        " l.kind || ', granted ' || l.granted_at || ', out of ' || p.account_id"
        " || ', ' || l.granted"
        " FROM ledger_lots l JOIN ledger_lots p ON p.id = l.parent_lot_id"
        " JOIN ledger_transfers t ON t.id = l.origin_transfer_id"
        " LEFT JOIN ledger_lot_draws d ON d.transfer_id = t.id AND d.lot_id = p.id"
        " WHERE (l.kind, l.granted_at, l.expires_at, l.granted, p.account_id)"
        " IS DISTINCT FROM (p.kind, p.granted_at, p.expires_at, d.amount, t.from_account_id)"
        " UNION ALL SELECT l.id::text, 'a parent only where value changes hands',"
        " CASE WHEN l.parent_lot_id IS NULL THEN 'none' ELSE 'one' END || ' of ' || t.kind"
        " FROM ledger_lots l JOIN ledger_transfers t ON t.id = l.origin_transfer_id"
        " WHERE (l.parent_lot_id IS NOT NULL) <> (t.kind IN ('passed_on', 'merged'))"
    ),
    "draws_cover_what_was_spent": (
        "SELECT t.id::text, (CASE WHEN a.kind IN ('member_stored_value', 'member_points')"
        " THEN t.amount ELSE 0 END)::text, coalesce(d.amount, 0)::text FROM ledger_transfers t"
        " JOIN ledger_accounts a ON a.id = t.from_account_id"
        " LEFT JOIN (SELECT transfer_id, sum(amount) AS amount FROM ledger_lot_draws"
        " GROUP BY transfer_id) d ON d.transfer_id = t.id WHERE coalesce(d.amount, 0) <>"
        " CASE WHEN a.kind IN ('member_stored_value', 'member_points') THEN t.amount ELSE 0 END"
    ),
    "draws_are_from_own_lots": (
        "SELECT d.transfer_id::text, 'a lot in ' || t.from_account_id,"
        " d.lot_id || ' in ' || l.account_id FROM ledger_lot_draws d"
        " JOIN ledger_transfers t ON t.id = d.transfer_id JOIN ledger_lots l ON l.id = d.lot_id"
        " WHERE l.account_id <> t.from_account_id"
    ),
    "returns_cover_what_went_back": (
        "SELECT t.id::text, (CASE WHEN t.kind IN ('debit_reversed', 'hold_released', 'unmerged',"
        " 'points_spent_reversed') THEN t.amount ELSE 0 END)::text,"
        " coalesce(r.amount, 0)::text FROM ledger_transfers t"
        " LEFT JOIN (SELECT transfer_id, sum(amount) AS amount FROM ledger_lot_returns"
        " GROUP BY transfer_id) r ON r.transfer_id = t.id WHERE coalesce(r.amount, 0) <>"
        " CASE WHEN t.kind IN ('debit_reversed', 'hold_released', 'unmerged',"
        " 'points_spent_reversed') THEN t.amount ELSE 0 END"
    ),
    "returns_are_to_own_lots": (
        "SELECT r.transfer_id::text, 'a lot in ' || t.to_account_id,"
        " r.lot_id || ' in ' || l.account_id FROM ledger_lot_returns r"
        " JOIN ledger_transfers t ON t.id = r.transfer_id JOIN ledger_lots l ON l.id = r.lot_id"
        " WHERE l.account_id <> t.to_account_id"
    ),
}
