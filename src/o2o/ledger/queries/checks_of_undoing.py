"""Checks of holds and reversals: what is set aside, what was taken back, and that both add up."""

CHECKS_OF_UNDOING: dict[str, str] = {
    "held_equals_open_holds": (
        "SELECT a.id::text, coalesce(h.amount, 0)::text, a.balance::text"
        " FROM ledger_accounts a LEFT JOIN (SELECT account_id, sum(amount) AS amount"
        " FROM ledger_holds WHERE status = 'pending' GROUP BY account_id) h"
        " ON h.account_id = a.id"
        " WHERE a.kind = 'member_held' AND a.balance <> coalesce(h.amount, 0)"
    ),
    "holds_match_their_transfers": (
        "SELECT h.id::text, 'held ' || h.amount || ' in ' || h.account_id,"
        " t.kind || ' ' || t.amount || ' in ' || t.to_account_id || ' of ' || f.owner_id"
        " FROM ledger_holds h JOIN ledger_transfers t ON t.id = h.id"
        " JOIN ledger_accounts f ON f.id = t.from_account_id"
        " JOIN ledger_accounts o ON o.id = h.account_id"
        " WHERE (t.kind, t.amount, t.to_account_id, f.owner_id)"
        " IS DISTINCT FROM ('held', h.amount, h.account_id, o.owner_id)"
        " UNION ALL SELECT t.id::text, 'a hold', 'none' FROM ledger_transfers t"
        " LEFT JOIN ledger_holds h ON h.id = t.id WHERE t.kind = 'held' AND h.id IS NULL"
    ),
    "holds_end_by_their_transfers": (
        "SELECT h.id::text, h.posted || ' posted, '"
        " || CASE WHEN h.status = 'pending' THEN 0 ELSE h.amount - h.posted END || ' released',"
        " coalesce(p.amount, 0) || ' posted, ' || coalesce(r.amount, 0) || ' released'"
        " FROM ledger_holds h"
        " LEFT JOIN ledger_transfers p ON p.id = h.posted_id AND p.kind = 'hold_posted'"
        " AND p.from_account_id = h.account_id"
        " LEFT JOIN ledger_transfers r ON r.id = h.released_id AND r.kind = 'hold_released'"
        " AND r.from_account_id = h.account_id"
        " WHERE (coalesce(p.amount, 0), coalesce(r.amount, 0)) IS DISTINCT FROM"
        " (h.posted, CASE WHEN h.status = 'pending' THEN 0 ELSE h.amount - h.posted END)"
        " UNION ALL SELECT t.id::text, 'a hold that it ended', 'none' FROM ledger_transfers t"
        " LEFT JOIN ledger_holds p ON p.posted_id = t.id"
        " LEFT JOIN (SELECT released_id AS id FROM ledger_holds) r ON r.id = t.id"
        " WHERE (t.kind = 'hold_posted' AND p.id IS NULL)"
        " OR (t.kind = 'hold_released' AND r.id IS NULL)"
    ),
    "released_lots_were_held": (
        "SELECT h.id::text, 'at most ' || coalesce(d.amount, 0) || ' of ' || r.lot_id,"
        " r.amount::text FROM ledger_holds h"
        " JOIN ledger_lot_returns r ON r.transfer_id = h.released_id"
        " LEFT JOIN ledger_lot_draws d ON d.transfer_id = h.id AND d.lot_id = r.lot_id"
        " WHERE r.amount > coalesce(d.amount, 0)"
    ),
    "reversals_equal_what_went_back": (
        "SELECT coalesce(r.transfer_id, b.reverses_id)::text,"
        " coalesce(b.amount, 0)::text, coalesce(r.reversed, 0)::text FROM ledger_reversals r"
        " FULL JOIN (SELECT reverses_id, sum(amount) AS amount FROM ledger_transfers"
        " WHERE reverses_id IS NOT NULL GROUP BY reverses_id) b ON b.reverses_id = r.transfer_id"
        " WHERE coalesce(b.amount, 0) <> coalesce(r.reversed, 0)"
        " UNION ALL SELECT t.id::text, t.amount::text, r.amount::text FROM ledger_reversals r"
        " JOIN ledger_transfers t ON t.id = r.transfer_id WHERE t.amount <> r.amount"
    ),
    "reversals_undo_their_kind": (
        "SELECT t.id::text, coalesce(k.undone, 'nothing') || ' between the same accounts',"
        " u.kind || ' from ' || u.from_account_id || ' to ' || u.to_account_id"
        " FROM ledger_transfers t JOIN ledger_transfers u ON u.id = t.reverses_id"
        " LEFT JOIN (VALUES ('debit_reversed', 'debit'), ('debit_reversed', 'hold_posted'),"
        " ('top_up_reversed', 'top_up'), ('top_up_bonus_reversed', 'top_up_bonus'),"
        " ('points_earned_reversed', 'points_earned'), ('points_spent_reversed', 'points_spent'))"
        " AS k(kind, undone) ON k.kind = t.kind AND k.undone = u.kind"
        # The member's side may be that of whom they became part of.
        " WHERE k.undone IS NULL OR NOT (t.from_account_id = u.to_account_id"
        " OR t.to_account_id = u.from_account_id)"
    ),
    "reversals_give_back_what_was_drawn": (
        "SELECT g.undone || ' ' || g.lot_id, 'at most ' || coalesce(d.amount, 0), g.amount::text"
        " FROM (SELECT t.reverses_id AS undone, r.lot_id, sum(r.amount) AS amount"
        " FROM ledger_transfers t JOIN ledger_lot_returns r ON r.transfer_id = t.id"
        " WHERE t.reverses_id IS NOT NULL GROUP BY t.reverses_id, r.lot_id) g"
        " LEFT JOIN ledger_holds h ON h.posted_id = g.undone"
        " LEFT JOIN LATERAL (SELECT sum(n.amount) AS amount FROM ("
        " SELECT d.amount FROM ledger_lot_draws d"
        " WHERE d.transfer_id IN (g.undone, h.id) AND d.lot_id = g.lot_id"
        " UNION ALL SELECT -r.amount FROM ledger_lot_returns r"
        " WHERE r.transfer_id = h.released_id AND r.lot_id = g.lot_id) n) d ON true"
        " WHERE g.amount > coalesce(d.amount, 0)"
    ),
}
