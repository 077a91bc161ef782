"""Tables that keep the ledger's history from being changed unseen. Owner: `ledger`.

Seals are append only, by triggers in the migrations.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import LotKind


class LedgerSeal(Base):
    """A stretch of entries that stand as they are for ever, chained to the stretch before."""

    __tablename__ = "ledger_seals"

    # 1, 2, 3 … without gaps.
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # In which form rows are written as bytes; a later form leaves earlier seals readable.
    form: Mapped[int] = mapped_column(Small)
    # The entries from_seq <= seq <= to_seq; the next seal begins right after.
    from_seq: Mapped[int]
    to_seq: Mapped[int]
    entries: Mapped[int]
    # SHA-256 over the digests of all entries with their transfers and lots.
    root: Mapped[bytes]
    # 32 bytes for each entry: its seq and short digests of its three parts, to name a bad row.
    leaves: Mapped[bytes]
    prev_hash: Mapped[bytes]
    hash: Mapped[bytes]
    sealed_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("from_seq"),
        CheckConstraint("from_seq <= to_seq", name="stretch_in_order"),
        CheckConstraint("entries > 0", name="entries_positive"),
        CheckConstraint("octet_length(leaves) = 32 * entries", name="a_leaf_for_each_entry"),
        CheckConstraint(
            "octet_length(root) = 32 AND octet_length(prev_hash) = 32 AND octet_length(hash) = 32",
            name="hashes_whole",
        ),
    )


class LedgerSealMark(Base):
    """The one row that says how far history is decided, and which seal was the last."""

    __tablename__ = "ledger_seal_marks"

    id: Mapped[int] = mapped_column(Small, primary_key=True, autoincrement=False)
    # No entry up to here can still appear: whoever had drawn such a number has ended.
    decided_seq: Mapped[int] = mapped_column(server_default=text("0"))
    # The next such point: decided once all the transactions beside it have ended.
    drawn_seq: Mapped[int] = mapped_column(server_default=text("0"))
    waiting_for: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    # The last seal, noted apart from the seals: the end of a chain does not show that it is one.
    sealed_seq: Mapped[int] = mapped_column(server_default=text("0"))
    sealed_hash: Mapped[bytes | None]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class LedgerLiabilityDay(Base):
    """By how much one kind of transfer changed what one store owes its card holders in a day.

    Follows from lots, draws and returns of the sealed entries; the report adds the unsealed rest.
    """

    __tablename__ = "ledger_liability_days"

    # The store that sold the value, or the brand where no store did.
    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    # The store's day.
    day: Mapped[date] = mapped_column(primary_key=True)
    # A TransferKind.
    kind: Mapped[str] = mapped_column(primary_key=True)
    lot_kind: Mapped[LotKind] = mapped_column(status_column(LotKind), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    # In fen; what came onto cards is positive, what left them negative.
    amount: Mapped[int]

    __table_args__ = (Index("ix_ledger_liability_days_report", "brand_id", "day"),)
