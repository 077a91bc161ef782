"""Spend member codes: check the scanner and the code's owner, count guesses, decide who has it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, PadId, StoreId
from o2o.membership.errors import CodeExpired, CodeUnknown, CodeUsed, ScanLocked
from o2o.membership.events import ScanLockBegan
from o2o.membership.queries import counter
from o2o.membership.queries.counter import CodeFate
from o2o.membership.rules.limits import CLOCK_SLACK
from o2o.membership.scanners import SCAN_LIMIT, AtPad
from o2o.membership.scans import Scan, still_open
from o2o.staff.actions.count_guess import count_guess, seconds_until
from o2o.staff.errors import PadNotFound
from o2o.staff.queries import list_guess_locks
from o2o.stores.errors import StoreNotFound

# One statement decides which scan has a code: whoever waited for the row sees it spent.
# A code issued in the future comes from before the clock was set back: it is dead.
_SPEND = text(
    "UPDATE member_codes c SET used_at = s.now, used_in_store_id = s.store_id"
    " FROM unnest(CAST(:hashes AS bytea[]), CAST(:store_ids AS uuid[]),"
    " CAST(:nows AS timestamptz[])) AS s(code_hash, store_id, now)"
    " WHERE c.code_hash = s.code_hash AND c.used_at IS NULL AND c.expires_at > s.now"
    " AND c.issued_at <= s.now + CAST(:slack AS interval)"
    " RETURNING c.code_hash"
)


async def spend_codes(tx: Tx, scans: Sequence[Scan]) -> None:
    """Leave each scan with its owner and store, its code spent; or with what stands in the way."""
    await _refuse_locked(tx, scans)
    await _find_owners(tx, scans)
    await _spend(tx, scans)
    # Last, so that everybody takes locks in one order: pads, members, codes, counts.
    await _count_unknown(tx, scans)


async def _refuse_locked(tx: Tx, scans: Sequence[Scan]) -> None:
    pads = {scan.command.by.pad_id for scan in scans if isinstance(scan.command.by, AtPad)}
    in_use = await counter.lock_pads(tx, pads)
    now = min(scan.command.now for scan in scans)
    locks = await list_guess_locks(tx, [s.command.by.guess_key for s in scans], now=now)
    for scan in scans:
        by, at = scan.command.by, scan.command.now
        until = locks.get(by.guess_key)
        if isinstance(by, AtPad) and by.pad_id not in in_use:
            scan.refusal = PadNotFound()
        elif until is not None and until > at:
            scan.refusal = ScanLocked(retry_after_seconds=seconds_until(until, at))


async def _find_owners(tx: Tx, scans: Sequence[Scan]) -> None:
    stores = await counter.list_store_facts(tx, {scan.command.by.store_id for scan in scans})
    owners = await counter.list_code_owners(tx, {s.command.code_hash for s in still_open(scans)})
    for scan in still_open(scans):
        by = scan.command.by
        scan.store = store = stores.get(by.store_id)
        if store is None or (by.brand_id is not None and store.brand_id != by.brand_id):
            scan.refusal = StoreNotFound(store_id=by.store_id)
            continue
        owner = owners.get(scan.command.code_hash)
        wanted = scan.command.member_id
        # Another brand's code is nobody's here, and so is another member's than the one named.
        if owner and owner.brand_id == store.brand_id and wanted in {None, owner.member_id}:
            scan.owner = owner


async def _count_unknown(tx: Tx, scans: Sequence[Scan]) -> None:
    # In one order for everybody, since each count locks its row.
    unknown = [scan for scan in still_open(scans) if scan.owner is None]
    for scan in sorted(unknown, key=lambda scan: scan.command.by.guess_key):
        by, now = scan.command.by, scan.command.now
        wait = await count_guess(tx, by.guess_key, limit=SCAN_LIMIT, now=now)
        scan.refusal = CodeUnknown() if wait is None else ScanLocked(retry_after_seconds=wait)
        if wait is None:
            continue
        event = ScanLockBegan(
            store_id=StoreId(by.store_id),
            pad_id=PadId(by.pad_id) if isinstance(by, AtPad) else None,
            api_key_id=None if isinstance(by, AtPad) else APIKeyId(by.key_id),
            locked_until=now + SCAN_LIMIT.lock,
            at=now,
        )
        await publish(tx, event, now=now)
        actor = Actor("pad", by.pad_id) if isinstance(by, AtPad) else Actor("api_key", by.key_id)
        await note(tx, actor=actor, action=event.name, at=now, store_id=by.store_id)


async def _spend(tx: Tx, scans: Sequence[Scan]) -> None:
    known = [scan for scan in still_open(scans) if scan.owner is not None]
    wanted: dict[bytes, Scan] = {}
    for scan in known:
        wanted.setdefault(scan.command.code_hash, scan)
    if not wanted:
        return
    # Members before codes, as when a code is issued: one order for everybody.
    await counter.lock_members(tx, {s.owner.member_id for s in wanted.values() if s.owner})
    rows = await tx.execute(
        _SPEND,
        {
            "hashes": list(wanted),
            "store_ids": [scan.command.by.store_id for scan in wanted.values()],
            "nows": [scan.command.now for scan in wanted.values()],
            "slack": CLOCK_SLACK,
        },
    )
    spent = {bytes(row.code_hash) for row in rows}
    lost = [s for s in known if not (wanted[s.command.code_hash] is s and _is_in(s, spent))]
    fates = await counter.list_code_fates(tx, {s.command.code_hash for s in lost}) if lost else {}
    for scan in lost:
        scan.refusal = refusal_of(fates.get(scan.command.code_hash))


def _is_in(scan: Scan, hashes: set[bytes]) -> bool:
    return scan.command.code_hash in hashes


def refusal_of(fate: CodeFate | None) -> Fact:
    """Name what became of a code that works no more: used, or its time is over."""
    if fate is None or fate.used_at is None:
        return CodeExpired()
    clock = fate.used_at.astimezone(ZoneInfo(fate.timezone or "UTC"))
    return CodeUsed(
        used_at=fate.used_at, used_clock=f"{clock:%H:%M:%S}", store_name=fate.store_name or ""
    )
