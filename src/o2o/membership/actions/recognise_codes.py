"""Recognise live member codes without spending them: a till looks the member up, then charges.

Set-based, for the coalescer; refusals come back as data because a wrong code is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId
from o2o.membership.actions.spend_codes import refusal_of
from o2o.membership.errors import CodeUnknown, ScanLocked
from o2o.membership.queries.counter import list_code_fates, list_code_owners
from o2o.membership.rules.limits import CLOCK_SLACK
from o2o.membership.scanners import SCAN_LIMIT
from o2o.staff.actions.count_guess import count_guess, guess_key, seconds_until
from o2o.staff.queries import list_guess_locks

_LIVE = text(
    "SELECT code_hash FROM member_codes WHERE code_hash = ANY(CAST(:hashes AS bytea[]))"
    " AND used_at IS NULL AND expires_at > :now AND issued_at <= :now + CAST(:slack AS interval)"
)


class RecogniseCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code that a system read, as its hash."""

    code_hash: bytes
    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    now: datetime

    @property
    def guess_key(self) -> bytes:
        """Under which wrong codes are counted: one count for looking up and for charging."""
        return guess_key(SCAN_LIMIT, self.key_id)


async def recognise_codes(tx: Tx, commands: Sequence[RecogniseCode]) -> list[MemberId | Fact]:
    """Answer each with whose code it is; the code stays as it was, and no visit opens.

    Facts: CodeUnknown (another brand's too), CodeExpired, CodeUsed, ScanLocked after six unknown
    codes in a minute.
    """
    now = max(command.now for command in commands)
    hashes = {command.code_hash for command in commands}
    locks = await list_guess_locks(tx, [c.guess_key for c in commands], now=now)
    owners = await list_code_owners(tx, hashes)
    rows = await tx.execute(_LIVE, {"hashes": sorted(hashes), "now": now, "slack": CLOCK_SLACK})
    live = {bytes(row.code_hash) for row in rows}
    fates = await list_code_fates(tx, hashes - live)
    answers: list[MemberId | Fact] = []
    for command in commands:
        owner = owners.get(command.code_hash)
        until = locks.get(command.guess_key)
        if until is not None and until > command.now:
            wait = seconds_until(until, command.now)
            answers.append(ScanLocked(retry_after_seconds=wait))
        elif owner is None or command.brand_id not in {None, owner.brand_id}:
            answers.append(await _count(tx, command))
        elif command.code_hash in live:
            answers.append(MemberId(owner.member_id))
        else:
            answers.append(refusal_of(fates.get(command.code_hash)))
    return answers


async def _count(tx: Tx, command: RecogniseCode) -> Fact:
    wait = await count_guess(tx, command.guess_key, limit=SCAN_LIMIT, now=command.now)
    return CodeUnknown() if wait is None else ScanLocked(retry_after_seconds=wait)
