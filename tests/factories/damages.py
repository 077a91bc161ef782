"""Damages to the books, each with the checks that must find it, and no others."""

DEBITS = "(SELECT id FROM ledger_transfers WHERE kind = 'debit' ORDER BY id LIMIT 1)"
TOP_UP = "(SELECT id FROM ledger_transfers WHERE kind = 'top_up')"
DAMAGES = {
    "a balance written by hand": (
        (
            "UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'member_stored_value'"
            " AND balance > 0"
        ),
        {"balances_equal_entries", "balances_equal_lots"},
    ),
    "an entry's amount": (
        (
            "UPDATE ledger_entries SET amount = amount + 1"
            f" WHERE transfer_id = {DEBITS} AND amount > 0"
        ),
        {"assets_sum_to_zero", "entries_match_transfers"},
    ),
    "a whole transfer's amounts": (
        (
            "UPDATE ledger_entries SET amount = amount + sign(amount)::int"
            f" WHERE transfer_id = {DEBITS}"
        ),
        {"balances_equal_entries", "entries_match_transfers", "entries_keep_running_balances"},
    ),
    "an entry that went away": (
        f"DELETE FROM ledger_entries WHERE transfer_id = {TOP_UP} AND amount < 0",
        {"assets_sum_to_zero", "transfers_have_two_entries"},
    ),
    "a running balance": (
        (
            "UPDATE ledger_entries SET balance_after = balance_after + 1"
            f" WHERE transfer_id = {DEBITS} AND amount < 0"
        ),
        {"entries_keep_running_balances"},
    ),
    "a running balance where none is kept": (
        f"UPDATE ledger_entries SET balance_after = 1 WHERE transfer_id = {DEBITS} AND amount > 0",
        {"entries_without_pocket_keep_none"},
    ),
    "the amount of a transfer": (
        f"UPDATE ledger_transfers SET amount = amount + 1 WHERE id = {DEBITS}",
        {"entries_match_transfers", "draws_cover_what_was_spent"},
    ),
    "the kind of a transfer": (
        f"UPDATE ledger_transfers SET kind = 'points_spent' WHERE id = {DEBITS}",
        {"transfers_join_fitting_accounts"},
    ),
    "a store that nobody knows": (
        f"UPDATE ledger_transfers SET store_id = gen_random_uuid() WHERE id = {DEBITS}",
        {"names_are_known"},
    ),
    "a brand that nobody knows": (
        "UPDATE ledger_accounts SET brand_id = '00000000-0000-7000-8000-00000000dead'",
        {"names_are_known"},
    ),
    "a lot's rest": (
        "UPDATE ledger_lots SET remaining = remaining - 1 WHERE kind = 'bonus'",
        {"balances_equal_lots", "lots_less_draws_remain"},
    ),
    "principal made out of bonus": (
        "UPDATE ledger_lots SET kind = 'principal' WHERE kind = 'bonus'",
        {"lots_come_from_their_transfers"},
    ),
    "a lot that went away": (
        "DELETE FROM ledger_lots WHERE kind = 'points'",
        {"balances_equal_lots", "lots_come_from_their_transfers"},
    ),
    "a lot from nowhere": (
        (
            "INSERT INTO ledger_lots SELECT gen_random_uuid(), account_id, kind,"
            " origin_transfer_id, 5, 5, granted_at, NULL FROM ledger_lots WHERE kind = 'bonus'"
        ),
        {"balances_equal_lots", "lots_come_from_their_transfers", "lots_are_granted_once"},
    ),
    "a draw that went away": (
        f"DELETE FROM ledger_lot_draws WHERE transfer_id = {DEBITS}",
        {"lots_less_draws_remain", "draws_cover_what_was_spent"},
    ),
    "a lot of somebody else": (
        (
            "UPDATE ledger_lots SET account_id = (SELECT id FROM ledger_accounts"
            " WHERE kind = 'member_stored_value' AND balance = 0) WHERE kind = 'bonus'"
        ),
        {"balances_equal_lots", "lots_come_from_their_transfers", "draws_are_from_own_lots"},
    ),
}

BELOW_ZERO = {"balances_equal_entries", "balances_equal_lots", "balances_not_negative"}

HOLD = "(SELECT id FROM ledger_holds WHERE status = 'pending')"
ENDED = "(SELECT id FROM ledger_holds WHERE status = 'posted')"
REVERSED = "(SELECT id FROM ledger_transfers WHERE kind = 'debit_reversed' AND amount = 3000)"
CARRIED = "(SELECT id FROM ledger_lots WHERE parent_lot_id IS NOT NULL ORDER BY id LIMIT 1)"
# On the books of `given_everything`, where every kind of movement took place.
LATER_DAMAGES = {
    "an open hold that shrank": (
        f"UPDATE ledger_holds SET amount = amount - 1 WHERE id = {HOLD}",
        {"held_equals_open_holds", "holds_match_their_transfers"},
    ),
    "an open hold that went away": (
        f"DELETE FROM ledger_holds WHERE id = {HOLD}",
        {"held_equals_open_holds", "holds_match_their_transfers"},
    ),
    "a hold opened again": (
        (
            "UPDATE ledger_holds SET status = 'pending', posted = 0, posted_id = NULL,"
            f" released_id = NULL, ended_at = NULL WHERE id = {ENDED}"
        ),
        {
            "held_equals_open_holds",
            "holds_end_by_their_transfers",
            "reversals_give_back_what_was_drawn",
        },
    ),
    "more posted than was sold for": (
        f"UPDATE ledger_holds SET posted = posted + 1 WHERE id = {ENDED}",
        {"holds_end_by_their_transfers"},
    ),
    "a return that went away": (
        f"DELETE FROM ledger_lot_returns WHERE transfer_id = {REVERSED}",
        {"lots_less_draws_remain", "returns_cover_what_went_back"},
    ),
    "a return to another lot": (
        (
            "UPDATE ledger_lot_returns SET lot_id = (SELECT id FROM ledger_lots WHERE kind ="
            " 'points' ORDER BY id LIMIT 1) WHERE transfer_id = (SELECT released_id FROM"
            f" ledger_holds WHERE id = {ENDED}) AND lot_id IN (SELECT id FROM ledger_lots"
            " WHERE kind = 'bonus')"
        ),
        {
            "lots_less_draws_remain",
            "returns_are_to_own_lots",
            "released_lots_were_held",
        },
    ),
    "a reversal forgotten": (
        (
            "DELETE FROM ledger_reversals WHERE transfer_id = (SELECT reverses_id FROM"
            f" ledger_transfers WHERE id = {REVERSED})"
        ),
        {"reversals_equal_what_went_back"},
    ),
    "a reversal of something else": (
        (
            "UPDATE ledger_transfers SET reverses_id = (SELECT id FROM ledger_transfers"
            f" WHERE kind = 'passed_on') WHERE id = {REVERSED}"
        ),
        {
            "reversals_equal_what_went_back",
            "reversals_undo_their_kind",
        },
    ),
    "more given back of a lot than was drawn": (
        (
            "UPDATE ledger_transfers SET reverses_id = (SELECT id FROM ledger_transfers"
            " WHERE kind = 'debit' AND amount < 100) WHERE id = " + REVERSED
        ),
        {"reversals_equal_what_went_back", "reversals_give_back_what_was_drawn"},
    ),
    "a reason that nobody typed": (
        (
            "INSERT INTO ledger_reasons (transfer_id, reason, salt)"
            " SELECT id, 'x', 'x' FROM ledger_transfers WHERE kind = 'passed_on'"
        ),
        {"reasons_are_as_typed"},
    ),
    "a carried lot that is younger": (
        f"UPDATE ledger_lots SET granted_at = granted_at + interval '1 day' WHERE id = {CARRIED}",
        {"carried_lots_keep_their_origin"},
    ),
    "a carried lot without its parent": (
        f"UPDATE ledger_lots SET parent_lot_id = NULL WHERE id = {CARRIED}",
        {"carried_lots_keep_their_origin"},
    ),
    "a carried lot that grew": (
        (
            "UPDATE ledger_lots SET granted = granted + 1, remaining = remaining + 1"
            f" WHERE id = {CARRIED}"
        ),
        {
            "balances_equal_lots",
            "carried_lots_sum_to_their_transfers",
            "carried_lots_keep_their_origin",
        },
    ),
}
