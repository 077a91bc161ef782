"""Sum up by store and day what a sealed stretch of history changed in what stores owe."""

from o2o.infra.database import Tx
from o2o.ledger.queries.liability import ZONE, with_movements

_ADD = with_movements(
    " INSERT INTO ledger_liability_days AS d (owner_id, day, kind, lot_kind, brand_id, amount)"
    " SELECT owner_id, day, kind, lot_kind, brand_id, amount FROM movements"
    " ON CONFLICT (owner_id, day, kind, lot_kind)"
    " DO UPDATE SET amount = d.amount + excluded.amount",
    from_seq=":from_seq",
    to_seq=":to_seq",
)


async def add_liability(tx: Tx, *, from_seq: int, to_seq: int) -> None:
    """Add the movements of a stretch, once: together with its seal."""
    await tx.execute(_ADD, {"from_seq": from_seq, "to_seq": to_seq, "zone": ZONE})
