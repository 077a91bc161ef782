"""Tables of files that bring in the past: old cards with balances, bills. Owner: `membership`.

A file is checked as a whole into rows that stand apart from members and books; what was confirmed
is carried over from there, batch by batch. Rows, faults and pieces of the file are deleted later.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import ImportKind, ImportStatus


class Import(Base):
    """One file, from its upload to the last of its rows."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    kind: Mapped[ImportKind] = mapped_column(status_column(ImportKind))
    status: Mapped[ImportStatus] = mapped_column(status_column(ImportStatus))
    file_name: Mapped[str]
    file_bytes: Mapped[int]
    sha256: Mapped[bytes]
    # For rows that name no store of their own.
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    # Which system bills come from.
    source: Mapped[str] = mapped_column(server_default="")
    # None is the operator at the terminal.
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    uploaded_at: Mapped[datetime]
    # Who is at it, in the background, and how far.
    leased_until: Mapped[datetime | None]
    bytes_read: Mapped[int] = mapped_column(server_default=text("0"))
    # How the file was understood: encoding and separator (or xlsx), columns nobody asked for.
    form: Mapped[dict[str, Any] | None]
    # Why it could not be read: an error code and its details.
    problem: Mapped[str | None]
    problem_detail: Mapped[dict[str, Any] | None]
    checked_at: Mapped[datetime | None]
    row_count: Mapped[int] = mapped_column(server_default=text("0"))
    faulty_count: Mapped[int] = mapped_column(server_default=text("0"))
    # Sums over the rows without a fault: what a second person has to name.
    principal_fen: Mapped[int] = mapped_column(server_default=text("0"))
    bonus_fen: Mapped[int] = mapped_column(server_default=text("0"))
    points: Mapped[int] = mapped_column(server_default=text("0"))
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    confirmed_at: Mapped[datetime | None]
    # The last row carried over, and how many have been; moved in the transaction of the rows.
    cursor_line: Mapped[int] = mapped_column(server_default=text("0"))
    cursor_key: Mapped[str] = mapped_column(server_default="")
    done_count: Mapped[int] = mapped_column(server_default=text("0"))
    # Rows that had become impossible between the check and their turn.
    left_out_count: Mapped[int] = mapped_column(server_default=text("0"))
    # When nothing more was to be done, one way or the other.
    ended_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]

    __table_args__ = (
        # The same file once, as long as it is not taken back.
        Index(
            "uq_imports_file",
            "brand_id",
            "kind",
            "sha256",
            unique=True,
            postgresql_where=text("status NOT IN ('withdrawn', 'unreadable')"),
        ),
        Index("ix_imports_brand", "brand_id", "uploaded_at"),
        Index(
            "ix_imports_due",
            "uploaded_at",
            postgresql_where=text("status IN ('uploaded', 'confirmed')"),
        ),
        # Balances are brought in by two people.
        CheckConstraint(
            "kind <> 'cards' OR confirmed_at IS NULL"
            " OR (confirmed_by IS NOT NULL AND confirmed_by IS DISTINCT FROM uploaded_by)",
            name="confirmed_by_another",
        ),
        CheckConstraint(
            "(status IN ('confirmed', 'done')) = (confirmed_at IS NOT NULL)",
            name="confirmed_at_a_time",
        ),
        CheckConstraint(
            "(status IN ('unreadable', 'withdrawn', 'done')) = (ended_at IS NOT NULL)",
            name="ended_at_a_time",
        ),
        CheckConstraint("(status = 'unreadable') = (problem IS NOT NULL)", name="problem_told"),
    )


class ImportChunk(Base):
    """A piece of an uploaded file; deleted when the file has been checked."""

    __tablename__ = "import_chunks"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class ImportCardRow(Base):
    """A readable row of a file of cards. No foreign keys: a million rows wait here, then go."""

    __tablename__ = "import_card_rows"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    card_no: Mapped[str]
    code_hash: Mapped[bytes | None]
    name: Mapped[str | None]
    phone: Mapped[str | None]
    principal_fen: Mapped[int]
    bonus_fen: Mapped[int]
    points: Mapped[int]
    tier_id: Mapped[UUID]
    store_id: Mapped[UUID]
    opened_on: Mapped[date | None]
    # What comparing with other rows and with the members there are has brought up.
    fault: Mapped[str | None]
    fault_detail: Mapped[str | None]


class ImportPurchaseRow(Base):
    """A readable row of a file of bills: one line of one bill."""

    __tablename__ = "import_purchase_rows"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str]
    card_no: Mapped[str | None]
    phone: Mapped[str | None]
    store_id: Mapped[UUID]
    bought_at: Mapped[datetime]
    item_code: Mapped[str]
    item_name: Mapped[str]
    quantity: Mapped[int] = mapped_column(Small)
    amount_fen: Mapped[int]
    # Of the whole bill, where the file tells it.
    total_fen: Mapped[int | None]
    member_id: Mapped[UUID | None]
    fault: Mapped[str | None]
    fault_detail: Mapped[str | None]

    __table_args__ = (Index("ix_import_purchase_rows_bill", "import_id", "external_id"),)


class ImportFault(Base):
    """What is wrong with a cell of a row that could not be read; the first thousand are kept."""

    __tablename__ = "import_faults"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int]
    # The column's key; empty where it is about the row.
    field: Mapped[str]
    code: Mapped[str]
    value: Mapped[str]
    detail: Mapped[str]
