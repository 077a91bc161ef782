"""Verify the books: every invariant of the ledger, checked from the rows alone, at one moment."""

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


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the verification found."""

    extent: Extent
    # How many rows fail each check; a check that all rows pass stands at 0.
    fault_counts: dict[str, int]
    # The first faults of each check by name.
    faults: list[Fault]

    @property
    def is_sound(self) -> bool:
        """Whether nothing at all is wrong."""
        return not any(self.fault_counts.values())

    def lines(self) -> list[str]:
        """Tell the verdict to an operator at a terminal: what was read, each check, bad rows."""
        read = [f"{count:,} {rows}" for rows, count in msgspec.structs.asdict(self.extent).items()]
        told = [f"read {', '.join(read)}"]
        for check, count in self.fault_counts.items():
            told.append(f"FAIL {check}: {count:,}" if count else f"ok   {check}")
            told += [
                f"     {fault.subject}: expected {fault.expected}, found {fault.found}"
                for fault in self.faults
                if fault.check == check
            ]
        told.append("the books are sound" if self.is_sound else "the books are NOT sound")
        return told


async def verify_ledger(sessions: SessionFactory) -> Verdict:
    """Check all the books in one snapshot, while business goes on. Changes and locks nothing."""
    fault_counts: dict[str, int] = {}
    faults: list[Fault] = []
    async with transaction(sessions) as tx:
        await read_in_one_snapshot(tx)
        extent = await count_rows(tx)
        for check in CHECKS:
            fault_counts[check], named = await list_faults(tx, check)
            faults += named
    return Verdict(extent=extent, fault_counts=fault_counts, faults=faults)
