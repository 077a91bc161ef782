"""Go on with what was given back: from the lots it came from to where it belongs now.

Further parts of one intention, in its own journal; no SQL here.
"""

from collections.abc import Sequence
from typing import Any

from o2o.crm.statuses import TransferKind
from o2o.kernel.ids import StoreId
from o2o.ledger.journal import Intention, Journal, LotReturn, Pocket, child_lots
from o2o.ledger.rules.draw import Draw, Lot


class GoingOn:
    """What follows a return within one intention, part by part."""

    def __init__(
        self,
        journal: Journal,
        command: Intention,
        *,
        asked: bytes,
        store_id: StoreId | None,
        told: Pocket,
    ) -> None:
        """Begin after the return itself, which is part 0 and in the pocket that is told of."""
        self._journal, self._command, self._asked = journal, command, asked
        self._store_id, self._part = store_id, 0
        # As `queries.books` finds it again: where the last step came from, or what it merged into.
        self.told = told

    def come_apart(
        self, source: Pocket, target: Pocket, going: Sequence[tuple[LotReturn, Lot]]
    ) -> None:
        """Return to what lots were before, in a pocket that is not one with the first any more."""
        self._move(
            TransferKind.UNMERGED,
            source,
            target,
            draws=[_draw_of(one) for one, _ in going],
            returns=[LotReturn(lot=home, amount=one.amount) for one, home in going],
        )
        self.told = source

    def become_one(self, source: Pocket, target: Pocket, returns: Sequence[LotReturn]) -> None:
        """Carry what was returned to lots of one pocket over to the one that it became."""
        if source.account_id == target.account_id or not returns:
            return
        draws = [_draw_of(one) for one in returns]
        lots = child_lots([one.lot for one in returns], draws)
        self._move(TransferKind.MERGED, source, target, draws=draws, lots=lots)
        self.told = target

    def _move(self, kind: TransferKind, source: Pocket, target: Pocket, **what: Any) -> None:
        self._part += 1
        self._journal.move(
            self._command,
            asked=self._asked,
            kind=kind,
            source=source,
            target=target,
            part=self._part,
            store_id=self._store_id,
            **what,
        )


def _draw_of(one: LotReturn) -> Draw:
    return Draw(lot_id=one.lot.id, kind=one.lot.kind, amount=one.amount)
