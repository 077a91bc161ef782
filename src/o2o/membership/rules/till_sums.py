"""What passed through a till by kind and tender, and the cash that should be in its drawer."""

from collections.abc import Sequence

import msgspec

from o2o.crm.statuses import Tender, TransferKind

MONEY_IN = frozenset({TransferKind.TOP_UP})
MONEY_OUT = frozenset({TransferKind.TOP_UP_REVERSED, TransferKind.REFUND})
# What a shift counts; points go through no till.
COUNTED_KINDS = (
    TransferKind.DEBIT,
    TransferKind.DEBIT_REVERSED,
    TransferKind.TOP_UP,
    TransferKind.TOP_UP_BONUS,
    TransferKind.TOP_UP_REVERSED,
    TransferKind.TOP_UP_BONUS_REVERSED,
    TransferKind.REFUND,
    TransferKind.BONUS_FORFEITED,
)


class TillLine(msgspec.Struct, frozen=True, kw_only=True):
    """All transfers of one kind and tender."""

    kind: TransferKind
    tender: Tender | None
    count: int
    amount_fen: int


class TenderSum(msgspec.Struct, frozen=True, kw_only=True):
    """What came in and went out by one tender."""

    tender: Tender
    in_count: int
    in_fen: int
    out_count: int
    out_fen: int

    @property
    def net_fen(self) -> int:
        """What is left of it."""
        return self.in_fen - self.out_fen


class TillSums(msgspec.Struct, frozen=True):
    """The lines of one shift, or of all shifts of a day."""

    lines: tuple[TillLine, ...]

    def count_of(self, kind: TransferKind) -> int:
        """Return how many transfers of that kind there were."""
        return sum(line.count for line in self.lines if line.kind == kind)

    def fen_of(self, kind: TransferKind) -> int:
        """Return what the transfers of that kind sum to."""
        return sum(line.amount_fen for line in self.lines if line.kind == kind)

    def by_tender(self) -> list[TenderSum]:
        """Return the sums of every tender, whether used or not."""
        return [
            TenderSum(
                tender=tender,
                in_count=_count(self.lines, MONEY_IN, tender),
                in_fen=_fen(self.lines, MONEY_IN, tender),
                out_count=_count(self.lines, MONEY_OUT, tender),
                out_fen=_fen(self.lines, MONEY_OUT, tender),
            )
            for tender in Tender
        ]

    @property
    def charged_fen(self) -> int:
        """What was charged to cards and not taken back."""
        return self.fen_of(TransferKind.DEBIT) - self.fen_of(TransferKind.DEBIT_REVERSED)

    @property
    def cash_fen(self) -> int:
        """By how much the cash in the drawer changed."""
        return sum(one.net_fen for one in self.by_tender() if one.tender is Tender.CASH)


def _of(
    lines: Sequence[TillLine], kinds: frozenset[TransferKind], tender: Tender
) -> list[TillLine]:
    return [line for line in lines if line.kind in kinds and line.tender is tender]


def _count(lines: Sequence[TillLine], kinds: frozenset[TransferKind], tender: Tender) -> int:
    return sum(line.count for line in _of(lines, kinds, tender))


def _fen(lines: Sequence[TillLine], kinds: frozenset[TransferKind], tender: Tender) -> int:
    return sum(line.amount_fen for line in _of(lines, kinds, tender))
