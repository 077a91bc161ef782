"""Who stands at the counter: a pad with a clerk, or a system with a key."""

from datetime import timedelta
from uuid import UUID

import msgspec

from o2o.staff.actions.count_guess import GuessLimit, guess_key

# Sixteen random digits, a hundred thousand codes alive: five guesses a minute hit never.
SCAN_LIMIT = GuessLimit(use="scan", free=5, window=timedelta(minutes=1), lock=timedelta(minutes=1))


class AtPad(msgspec.Struct, frozen=True, kw_only=True):
    """A clerk at an enrolled pad; everything here comes from the session."""

    pad_id: UUID
    store_id: UUID
    staff_id: UUID
    brand_id: UUID

    @property
    def guess_key(self) -> bytes:
        """Under which wrong scans are counted."""
        return guess_key(SCAN_LIMIT, self.pad_id)


class ByKey(msgspec.Struct, frozen=True, kw_only=True):
    """A system with an API key, acting for the store its request names."""

    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    store_id: UUID
    # From the scope `debits:unattended`.
    can_debit_unattended: bool = False
    unattended_debit_fen_max: int = 0

    @property
    def guess_key(self) -> bytes:
        """Under which wrong codes are counted."""
        return guess_key(SCAN_LIMIT, self.key_id)


Scanner = AtPad | ByKey
