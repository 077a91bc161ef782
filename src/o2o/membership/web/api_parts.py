"""What all routes of the JSON API of membership share: who asks, reasons, common parts."""

from typing import Annotated
from uuid import UUID

import msgspec

from o2o.kernel.text import without_controls
from o2o.membership.scanners import ByKey
from o2o.web.api_parts import READ_RESPONSES, named, write_responses
from o2o.web.errors import RequestInvalid
from o2o.web.principals import APIClient

__all__ = [
    "READ_RESPONSES",
    "REASON_CHARS_MAX",
    "UNATTENDED",
    "Reason",
    "TransferView",
    "by_key",
    "named",
    "readable",
    "write_responses",
]

UNATTENDED = "debits:unattended"
REASON_CHARS_MAX = 200
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]


class TransferView(msgspec.Struct, frozen=True):
    """What happened to the card: the transfer and what the card held right after, in fen."""

    transfer_id: UUID
    balance_fen: int


def readable(reason: str) -> str:
    """Return a reason as it is kept. Raises RequestInvalid when nothing readable is left."""
    kept = without_controls(reason.encode("utf-8", "ignore").decode())
    if not kept:
        raise RequestInvalid(field="reason", reason="there is nothing to read in it")
    return kept


def by_key(client: APIClient, store_id: UUID) -> ByKey:
    """Return who acts: the key, for the store that the request names."""
    return ByKey(
        key_id=client.key_id,
        brand_id=client.brand_id,
        store_id=store_id,
        can_debit_unattended=UNATTENDED in client.scopes,
        unattended_debit_fen_max=client.unattended_debit_fen_max,
    )
