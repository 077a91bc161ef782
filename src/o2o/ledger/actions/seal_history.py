"""Seal the history that is decided: chain its entries so that no later change goes unseen.

Numbers of entries are drawn in one order and committed in another, so a seal must not run ahead of
a transaction that holds a lower number. It never does: whoever writes entries locks their table
(against nobody but schema changes) before drawing a number and until the end. So if the highest
number drawn so far is read first and the holders of that lock second, then each number up to there
belongs to a transaction that is over or that is one of those holders. Once they have ended, what
can be seen up to that number is all there will ever be. Nobody waits: a round notes the number and
the holders, a later round finds them gone. This holds because the sequence hands its numbers out
one by one (`CACHE 1`), and is read by statements that each see what is committed by then.
"""

from datetime import datetime

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.locks import try_lock_name
from o2o.infra.logging import get_logger
from o2o.infra.outbox import Errand, send
from o2o.ledger.actions.keep_liability import add_liability
from o2o.ledger.errors import BooksOutOfStep
from o2o.ledger.queries.seals import (
    find_last_seal,
    get_drawn_seq,
    list_writers,
    read_stretch,
)
from o2o.ledger.seals import ENTRIES_MAX, Sealed, seal_of

log = get_logger(__name__)

HEAD_TOPIC = "ledger.note_head"
# So many seals in one round: what a busy minute brings, and an old ledger's past bit by bit.
SEALS_A_ROUND = 40

_LOCK_MARK = text(
    "INSERT INTO ledger_seal_marks (id) VALUES (1)"
    " ON CONFLICT (id) DO UPDATE SET id = 1"
    " RETURNING decided_seq, drawn_seq, waiting_for, sealed_seq, sealed_hash"
)
_KEEP_MARK = text(
    "UPDATE ledger_seal_marks SET decided_seq = :decided_seq, drawn_seq = :drawn_seq,"
    " waiting_for = CAST(:waiting_for AS text[]), sealed_seq = :sealed_seq,"
    " sealed_hash = :sealed_hash"
)
_INSERT_SEAL = text(
    "INSERT INTO ledger_seals (seq, form, from_seq, to_seq, entries, root, leaves, prev_hash,"
    " hash, sealed_at) VALUES (:seq, :form, :from_seq, :to_seq, :entries, :root, :leaves,"
    " :prev_hash, :hash, :sealed_at)"
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far history is decided, and the next point at which it will be."""

    decided_seq: int
    drawn_seq: int
    waiting_for: list[str]
    sealed_seq: int
    sealed_hash: bytes | None


async def seal_history(
    tx: Tx, *, now: datetime, entries_max: int = ENTRIES_MAX, seals_max: int = SEALS_A_ROUND
) -> list[Sealed]:
    """Seal what is decided, in stretches of at most `entries_max`; one process at a time.

    The head of the chain is sent on its way to a place outside the database. Raises
    BooksOutOfStep when the chain does not end where the last round left it.
    """
    if not await try_lock_name(tx, "ledger.seal_history"):
        return []
    mark = Mark(**(await tx.execute(_LOCK_MARK)).one()._asdict())
    last = await find_last_seal(tx)
    if (last.seq, last.hash) != (mark.sealed_seq, mark.sealed_hash) if last else mark.sealed_seq:
        raise BooksOutOfStep(f"the chain of seals does not end with seal {mark.sealed_seq}")
    mark = await _decide(tx, mark)
    sealed: list[Sealed] = []
    while len(sealed) < seals_max:
        seal = await _seal_next(tx, last, up_to=mark.decided_seq, most=entries_max, now=now)
        if seal is None:
            break
        sealed.append(seal)
        last = seal
    await _keep(tx, mark, last)
    if sealed:
        await send(tx, [_head_errand(sealed[-1])], now=now)
        log.info("ledger.sealed", head=str(sealed[-1].head), to_seq=sealed[-1].to_seq)
    return sealed


async def _decide(tx: Tx, mark: Mark) -> Mark:
    """Find how far history is decided by now."""
    if mark.waiting_for:
        if await list_writers(tx) & set(mark.waiting_for):
            return mark
        mark = msgspec.structs.replace(mark, decided_seq=mark.drawn_seq)
    # In this order: see the top of this file.
    drawn_seq = await get_drawn_seq(tx)
    writers = await list_writers(tx)
    return msgspec.structs.replace(
        mark,
        decided_seq=mark.decided_seq if writers else drawn_seq,
        drawn_seq=drawn_seq,
        waiting_for=sorted(writers),
    )


async def _seal_next(
    tx: Tx, last: Sealed | None, *, up_to: int, most: int, now: datetime
) -> Sealed | None:
    from_seq = last.to_seq + 1 if last else 1
    if from_seq > up_to:
        return None
    stretch = await read_stretch(tx, from_seq=from_seq, to_seq=up_to, most=most)
    if not stretch.entries:
        return None
    seal = seal_of(stretch, after=last, from_seq=from_seq, sealed_at=now)
    await tx.execute(_INSERT_SEAL, msgspec.structs.asdict(seal))
    await add_liability(tx, from_seq=from_seq, to_seq=seal.to_seq)
    return seal


async def _keep(tx: Tx, mark: Mark, last: Sealed | None) -> None:
    kept = msgspec.structs.replace(
        mark, sealed_seq=last.seq if last else 0, sealed_hash=last.hash if last else None
    )
    await tx.execute(_KEEP_MARK, msgspec.structs.asdict(kept))


def _head_errand(seal: Sealed) -> Errand:
    payload = {
        "head": str(seal.head),
        "to_seq": seal.to_seq,
        "sealed_at": seal.sealed_at.isoformat(),
    }
    return Errand(topic=HEAD_TOPIC, payload=payload, ordering_key=HEAD_TOPIC)
