"""Audit of what the books name: transfers, accounts and stores that rows speak of are there."""

_REFERENCES = (
    ("ledger_accounts", "id", "brand_id", "brands"),
    ("ledger_transfers", "id", "from_account_id", "ledger_accounts"),
    ("ledger_transfers", "id", "to_account_id", "ledger_accounts"),
    ("ledger_transfers", "id", "store_id", "stores"),
    ("ledger_transfers", "id", "staff_id", "staff_members"),
    ("ledger_transfers", "id", "api_key_id", "api_keys"),
    ("ledger_entries", "seq", "transfer_id", "ledger_transfers"),
    ("ledger_entries", "seq", "account_id", "ledger_accounts"),
    ("ledger_lots", "id", "account_id", "ledger_accounts"),
    ("ledger_lots", "id", "origin_transfer_id", "ledger_transfers"),
)
# These columns have no foreign key: a trigger looks when rows are written, this one afterwards.
CHECKS_OF_NAMES = {
    "names_are_known": " UNION ALL ".join(
        f"SELECT r.{key}::text, '{column} in {other}', r.{column}::text FROM {table} r"  # noqa: S608
        f" LEFT JOIN {other} o ON o.id = r.{column} WHERE r.{column} IS NOT NULL AND o.id IS NULL"
        for table, key, column, other in _REFERENCES
    )
}
