"""Verify that sealed history stands: the chain, the rows below it, the heads kept elsewhere."""

from collections.abc import Sequence

import msgspec

from o2o.infra.database import Tx
from o2o.ledger.queries.checks import FAULTS_NAMED_MAX, Fault
from o2o.ledger.queries.liability import list_days_that_differ
from o2o.ledger.queries.seals import (
    count_entries_outside,
    find_noted_seal,
    list_seals,
    list_transfers_of_entries,
    read_stretch,
)
from o2o.ledger.seals import FORM, GENESIS, Difference, Sealed, SealHead, differences, hash_of

CHAIN = "seals_form_a_chain"
ROWS = "sealed_rows_stand"
HEADS = "noted_heads_are_in_the_chain"
DAYS = "liability_days_follow_from_entries"
CHECKS = (CHAIN, ROWS, HEADS, DAYS)
SEALS_A_PAGE = 20

_SHORT = 16


class HistoryVerdict(msgspec.Struct, kw_only=True):
    """What was found of the sealed history."""

    seals: int = 0
    sealed_entries: int = 0
    unsealed_entries: int = 0
    # How many heads from outside the database were compared.
    heads: int = 0
    head: SealHead | None = None
    fault_counts: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    faults: list[Fault] = msgspec.field(default_factory=list)

    def blame(self, check: str, subject: str, *, expected: str, found: str) -> None:
        """Count a fault, and name it while few were named."""
        self.fault_counts[check] += 1
        if self.fault_counts[check] <= FAULTS_NAMED_MAX:
            self.faults.append(Fault(check=check, subject=subject, expected=expected, found=found))


async def verify_history(tx: Tx, heads: Sequence[SealHead]) -> HistoryVerdict:
    """Recompute all seals from the rows, in the snapshot of `tx`."""
    verdict = HistoryVerdict(heads=len(heads))
    wanted = {head.seq for head in heads}
    hashes: dict[int, bytes] = {}
    last: Sealed | None = None
    while page := await list_seals(tx, after_seq=last.seq if last else -1, limit=SEALS_A_PAGE):
        for seal in page:
            _check_link(verdict, seal, last)
            await _check_rows(tx, verdict, seal)
            if seal.seq in wanted:
                hashes[seal.seq] = seal.hash
            last = seal
            verdict.seals += 1
            verdict.sealed_entries += seal.entries
    verdict.head = last.head if last else None
    await _check_end(tx, verdict, last)
    _check_heads(verdict, heads, hashes)
    for fault in await list_days_that_differ(
        tx, sealed_to=last.to_seq if last else 0, limit=FAULTS_NAMED_MAX
    ):
        verdict.blame(DAYS, fault.subject, expected=fault.expected, found=fault.found)
    return verdict


def _check_link(verdict: HistoryVerdict, seal: Sealed, last: Sealed | None) -> None:
    name = f"seal {seal.seq}"
    expected_seq = last.seq + 1 if last else 1
    if seal.seq != expected_seq:
        verdict.blame(CHAIN, f"seal {expected_seq}", expected="a seal", found="none")
    from_seq = last.to_seq + 1 if last else 1
    if seal.from_seq != from_seq:
        verdict.blame(
            CHAIN, name, expected=f"from entry {from_seq}", found=f"from entry {seal.from_seq}"
        )
    if seal.form != FORM:
        verdict.blame(CHAIN, name, expected=f"form {FORM}", found=f"form {seal.form}")
    before = last.hash if last else GENESIS
    if seal.prev_hash != before:
        verdict.blame(CHAIN, name, expected=_told(before), found=_told(seal.prev_hash))
    if (recomputed := hash_of(seal)) != seal.hash:
        verdict.blame(CHAIN, name, expected=_told(recomputed), found=_told(seal.hash))


async def _check_rows(tx: Tx, verdict: HistoryVerdict, seal: Sealed) -> None:
    stretch = await read_stretch(
        tx, from_seq=seal.from_seq, to_seq=seal.to_seq, most=2 * seal.entries + FAULTS_NAMED_MAX
    )
    if stretch.root == seal.root and stretch.leaves == seal.leaves:
        return
    found = list(differences(seal.leaves, stretch.leaves))
    if not found:
        verdict.blame(
            ROWS, f"seal {seal.seq}", expected=_told(seal.root), found=_told(stretch.root)
        )
    transfers = await list_transfers_of_entries(tx, [one.entry_seq for one in found])
    told: set[str] = set()
    for one in found:
        subject = _subject(one, transfers.get(one.entry_seq))
        # Both entries of a transfer show that it differs; it is one row.
        if subject not in told:
            told.add(subject)
            verdict.blame(
                ROWS,
                subject,
                expected=f"as in seal {seal.seq}" if one.was_sealed else "no row",
                found=("changed" if one.was_sealed else "added") if one.is_there else "missing",
            )


def _subject(one: Difference, transfer_id: str | None) -> str:
    if one.row == "entry" or transfer_id is None:
        return f"entry {one.entry_seq}"
    return f"transfer {transfer_id}" if one.row == "transfer" else f"lots of {transfer_id}"


async def _check_end(tx: Tx, verdict: HistoryVerdict, last: Sealed | None) -> None:
    """The end of a chain does not show that something was behind it; a note beside it does."""
    seq, digest = await find_noted_seal(tx)
    if (seq, digest) != ((last.seq, last.hash) if last else (0, None)):
        verdict.blame(
            CHAIN,
            "the last seal",
            expected=f"{seq}:{_told(digest)}" if digest else "none",
            found=f"{last.seq}:{_told(last.hash)}" if last else "none",
        )
    before, verdict.unsealed_entries = await count_entries_outside(
        tx, sealed_to=last.to_seq if last else 0
    )
    if before:
        verdict.blame(ROWS, "entries before the first", expected="no row", found=f"{before} added")


def _check_heads(
    verdict: HistoryVerdict, heads: Sequence[SealHead], hashes: dict[int, bytes]
) -> None:
    for head in heads:
        there = hashes.get(head.seq)
        if there != head.hash:
            verdict.blame(
                HEADS,
                f"seal {head.seq}",
                expected=_told(head.hash),
                found=_told(there) if there else "none",
            )


def _told(digest: bytes) -> str:
    return digest.hex()[:_SHORT] + "…"
