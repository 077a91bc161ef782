"""Pure decisions of the ledger: which lots a debit draws on, and which amounts are allowed."""
