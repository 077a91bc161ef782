"""Tables of the double-entry ledger: accounts, transfers, entries, lots. Owner: `ledger`.

Transfers, entries, draws and returns are append only; triggers in the migrations refuse anything
else and refuse entries that do not sum to zero within their transfer. That what accounts,
transfers, entries and lots name is there, a trigger sees to for all rows of a statement at once;
these columns have no foreign key, because nothing that the books name is ever deleted (triggers
refuse that as well).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import AccountKind, Asset, HoldStatus, LotKind, Tender, TransferKind


class LedgerAccount(Base):
    """One pocket of one owner for one asset.

    `balance` is materialised only where the account may not go below zero; the busy other sides
    of the books keep none (NULL) and are summed from entries when asked.
    """

    __tablename__ = "ledger_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    kind: Mapped[AccountKind] = mapped_column(status_column(AccountKind))
    asset: Mapped[Asset] = mapped_column(status_column(Asset))
    # The member, store or brand whose pocket this is.
    owner_id: Mapped[UUID]
    balance: Mapped[int | None]
    created_at: Mapped[datetime]
    # Its owner left for good: it is empty and nothing comes into it any more.
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("owner_id", "kind"),
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("closed_at IS NULL OR balance = 0", name="closed_is_empty"),
        CheckConstraint(
            "(kind IN ('member_stored_value', 'member_points', 'member_held'))"
            " = (balance IS NOT NULL)",
            name="balance_kept_for_members",
        ),
    )


class LedgerTransfer(Base):
    """An immutable movement of an amount between two accounts."""

    __tablename__ = "ledger_transfers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # The client's name for its intention; `part` tells the transfers of one intention apart.
    request_id: Mapped[UUID]
    part: Mapped[int] = mapped_column(Small)
    # What was asked, so that the same id with another body is noticed.
    body_hash: Mapped[bytes]
    kind: Mapped[TransferKind] = mapped_column(status_column(TransferKind))
    asset: Mapped[Asset] = mapped_column(status_column(Asset))
    from_account_id: Mapped[UUID]
    to_account_id: Mapped[UUID]
    amount: Mapped[int]
    # None where no store takes part: points that expire, members that become one.
    store_id: Mapped[UUID | None]
    tender: Mapped[Tender | None] = mapped_column(status_column(Tender))
    # The hash of what was typed (LedgerReason); of before that table, the words themselves.
    reason: Mapped[str | None]
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("counter_visits.id"))
    staff_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    # The transfer that this one takes back, in whole or in part.
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("request_id", "part"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("from_account_id <> to_account_id", name="two_accounts"),
        CheckConstraint(
            "(kind IN ('top_up', 'refund', 'top_up_reversed')) = (tender IS NOT NULL)",
            name="tender_where_money_changes_hands",
        ),
        CheckConstraint(
            "store_id IS NOT NULL OR kind IN ('passed_on', 'merged', 'unmerged', 'points_expired',"
            " 'points_donated', 'adjusted_up', 'adjusted_down', 'hold_released')",
            name="store_where_one_takes_part",
        ),
        CheckConstraint(
            "(kind IN ('debit_reversed', 'top_up_reversed', 'top_up_bonus_reversed',"
            " 'points_earned_reversed', 'points_spent_reversed')) = (reverses_id IS NOT NULL)",
            name="reverses_something",
        ),
        Index(
            "ix_ledger_transfers_reverses_id",
            "reverses_id",
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
        Index(
            "ix_ledger_transfers_visit",
            "visit_id",
            postgresql_where=text("visit_id IS NOT NULL"),
        ),
    )


class LedgerReason(Base):
    """Why a transfer was made, in words that somebody typed and that may name anybody.

    Beside the books, which nothing is ever taken out of: a reason never changes, but it goes when
    the member is deleted. The books keep its salted hash, see `ledger.reasons`.
    """

    __tablename__ = "ledger_reasons"

    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    salt: Mapped[bytes]


class LedgerEntry(Base):
    """One side of a transfer: the signed amount by which an account changed."""

    __tablename__ = "ledger_entries"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    transfer_id: Mapped[UUID]
    account_id: Mapped[UUID]
    amount: Mapped[int]
    # The account's balance after this entry, where it keeps one.
    balance_after: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("transfer_id", "account_id"),
        Index("ix_ledger_entries_statement", "account_id", "seq"),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint("balance_after >= 0", name="balance_after_not_negative"),
    )


class LedgerLot(Base):
    """A grant of stored value or points with its own origin; spent oldest first."""

    __tablename__ = "ledger_lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    kind: Mapped[LotKind] = mapped_column(status_column(LotKind))
    origin_transfer_id: Mapped[UUID] = mapped_column(index=True)
    granted: Mapped[int]
    remaining: Mapped[int]
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    # Of value that came from another member: the lot it was there, so that it can go back.
    parent_lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_lots.id"))

    __table_args__ = (
        CheckConstraint("granted > 0", name="granted_positive"),
        CheckConstraint("remaining BETWEEN 0 AND granted", name="remaining_in_range"),
        Index(
            "ix_ledger_lots_unspent",
            "account_id",
            "granted_at",
            postgresql_where=text("remaining > 0"),
        ),
        # What ends next, and what is about to.
        Index(
            "ix_ledger_lots_ending",
            "expires_at",
            postgresql_where=text("remaining > 0 AND expires_at IS NOT NULL"),
        ),
        Index(
            "ix_ledger_lots_parent_lot_id",
            "parent_lot_id",
            postgresql_where=text("parent_lot_id IS NOT NULL"),
        ),
    )


class LedgerLotDraw(Base):
    """How much of which lot a transfer spent."""

    __tablename__ = "ledger_lot_draws"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_lots.id"), primary_key=True)
    amount: Mapped[int]

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_ledger_lot_draws_lot_id", "lot_id"),
    )


class LedgerLotReturn(Base):
    """How much a transfer gave back to which lot: the undoing of a draw."""

    __tablename__ = "ledger_lot_returns"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_lots.id"), primary_key=True)
    amount: Mapped[int]

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_ledger_lot_returns_lot_id", "lot_id"),
    )


class LedgerReversal(Base):
    """How much of a transfer has been taken back. The row that two reversals race for."""

    __tablename__ = "ledger_reversals"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    amount: Mapped[int]
    reversed: Mapped[int]

    __table_args__ = (CheckConstraint("reversed BETWEEN 1 AND amount", name="reversed_in_range"),)


class LedgerHold(Base):
    """An amount set aside from a card until it is posted, voided or expires."""

    __tablename__ = "ledger_holds"

    # The transfer that set it aside.
    id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_accounts.id"), index=True)
    amount: Mapped[int]
    status: Mapped[HoldStatus] = mapped_column(status_column(HoldStatus))
    # How the amount was shared between principal and bonus; what is posted is shared so too.
    draw_order: Mapped[str] = mapped_column(server_default="proportional")
    # What was sold for; the rest went back. 0 until posted.
    posted: Mapped[int] = mapped_column(server_default=text("0"))
    # The transfers that ended it.
    posted_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"), unique=True)
    released_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("posted BETWEEN 0 AND amount", name="posted_in_range"),
        CheckConstraint("(status = 'posted') = (posted > 0)", name="posted_something"),
        CheckConstraint("(posted > 0) = (posted_id IS NOT NULL)", name="posted_by_a_transfer"),
        CheckConstraint(
            "(status <> 'pending' AND posted < amount) = (released_id IS NOT NULL)",
            name="rest_released_by_a_transfer",
        ),
        CheckConstraint("(status = 'pending') = (ended_at IS NULL)", name="ended_at_a_time"),
        Index("ix_ledger_holds_due", "expires_at", postgresql_where=text("status = 'pending'")),
    )
