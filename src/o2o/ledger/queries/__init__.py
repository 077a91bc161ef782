"""Reads of the ledger: what a member holds, what happened to it, and earlier transfers."""

from o2o.ledger.queries.statement import StatementLine, list_statement
from o2o.ledger.queries.transfers import Transfer, find_transfer, find_transfers_of_request
from o2o.ledger.queries.wallets import Wallet, get_wallet, list_wallets

__all__ = [
    "StatementLine",
    "Transfer",
    "Wallet",
    "find_transfer",
    "find_transfers_of_request",
    "get_wallet",
    "list_statement",
    "list_wallets",
]
