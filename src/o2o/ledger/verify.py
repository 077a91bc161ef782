"""Verify the books: every invariant of the ledger, checked from the rows alone, at one moment."""

from collections.abc import Sequence

import msgspec

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.queries.checks import (
    CHECKS,
    Extent,
    Fault,
    count_rows,
    list_faults,
    read_in_one_snapshot,
)
from o2o.ledger.seals import SealHead
from o2o.ledger.verify_seals import HistoryVerdict, verify_history


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the verification found."""

    extent: Extent
    # How many rows fail each check; a check that all rows pass stands at 0.
    fault_counts: dict[str, int]
    # The first faults of each check by name.
    faults: list[Fault]
    # What was found of the sealed history, by checks of its own.
    history: HistoryVerdict

    @property
    def is_sound(self) -> bool:
        """Whether nothing at all is wrong."""
        return not any(self.fault_counts.values()) and not any(self.history.fault_counts.values())

    def lines(self) -> list[str]:
        """Tell the verdict to an operator at a terminal: what was read, each check, bad rows."""
        read = [f"{count:,} {rows}" for rows, count in msgspec.structs.asdict(self.extent).items()]
        history = self.history
        return [
            f"read {', '.join(read)}",
            *_told(self.fault_counts, self.faults),
            (
                f"sealed {history.sealed_entries:,} entries in {history.seals:,} seals,"
                f" {history.unsealed_entries:,} not yet; {history.heads:,} heads compared"
            ),
            *_told(history.fault_counts, history.faults),
            *([f"head {history.head}"] if history.head else []),
            "the books are sound" if self.is_sound else "the books are NOT sound",
        ]


def _told(fault_counts: dict[str, int], faults: Sequence[Fault]) -> list[str]:
    told = []
    for check, count in fault_counts.items():
        told.append(f"FAIL {check}: {count:,}" if count else f"ok   {check}")
        told += [
            f"     {fault.subject}: expected {fault.expected}, found {fault.found}"
            for fault in faults
            if fault.check == check
        ]
    return told


async def verify_ledger(sessions: SessionFactory, *, heads: Sequence[SealHead] = ()) -> Verdict:
    """Check all the books in one snapshot, while business goes on. Changes and locks nothing.

    `heads` are seals known from outside the database; the chain must pass through them.
    """
    fault_counts: dict[str, int] = {}
    faults: list[Fault] = []
    async with transaction(sessions) as tx:
        await read_in_one_snapshot(tx)
        extent = await count_rows(tx)
        for check in CHECKS:
            fault_counts[check], named = await list_faults(tx, check)
            faults += named
        history = await verify_history(tx, heads)
    return Verdict(extent=extent, fault_counts=fault_counts, faults=faults, history=history)
