"""The books: accounts, transfers, entries and lots of stored value and points.

Owns the `ledger_*` tables. Invariants: every transfer has two entries that sum to zero; what a
member holds is never negative, equals the sum of the account's entries and the sum of its unspent
lots; nothing written is changed, corrections are further transfers; a request id has one effect.
Publishes `stored_value.*` (debited, topped_up, held, released, debit_reversed, top_up_reversed,
refunded, passed_on, adjusted) and `points.*` (granted, spent, reversed, expired, donated,
adjusted); listens to nothing. Worked examples stand in docs/algorithms/ledger.md.
"""
