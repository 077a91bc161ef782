"""One table's knowledge of a person: how its rows are found, what is given, what deletion does."""

from enum import Enum

import msgspec

# Conditions on a row `t`; their values are those of `person_values`.
OF_MEMBER = "t.member_id = ANY(CAST(:member_ids AS uuid[]))"
OF_FAN = "t.fan_id = ANY(CAST(:fan_ids AS uuid[]))"
OF_OPENID = (
    "(t.account_id, t.openid) IN (SELECT * FROM"
    " unnest(CAST(:account_ids AS uuid[]), CAST(:openids AS text[])))"
)
OF_ACCOUNT = (
    "t.account_id IN (SELECT id FROM ledger_accounts"
    " WHERE owner_id = ANY(CAST(:member_ids AS uuid[])))"
)
OF_TRANSFER = (
    "t.transfer_id IN (SELECT e.transfer_id FROM ledger_entries e"
    " JOIN ledger_accounts a ON a.id = e.account_id"
    " WHERE a.owner_id = ANY(CAST(:member_ids AS uuid[])))"
)
# Stands where a text was that a person could be recognised by, and a text has to be.
ERASED = "[erased]"


class Fate(Enum):
    """What deleting the person does to the rows."""

    DELETE = "delete"
    # The row stays, what could tell who it is about goes.
    SCRUB = "scrub"
    # Nothing in it names anybody: it knows a number that belongs to nobody any more.
    KEEP = "keep"


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """A table that has rows about people."""

    table: str
    # SQL condition that finds the rows of one person.
    whose: str
    fate: Fate
    # Why the rows stay, where they do.
    why: str = ""
    # What SCRUB sets.
    scrub: str = ""
    # What the person's copy has of it, as SQL columns named as in the copy's words; empty where
    # there is nothing to tell, for the reason in `untold`.
    given: str = ""
    untold: str = ""
    # What the columns need beside the row.
    joins: str = ""
    order: str = "1"

    @property
    def rows_sql(self) -> str:
        """Read what the person is given of this table, at most `:most` rows."""
        told = ("SELECT", self.given, "FROM", self.table, "t", self.joins)
        return " ".join((*told, "WHERE", self.whose, "ORDER BY", self.order, "LIMIT :most"))

    @property
    def deletion_sql(self) -> str | None:
        """Do to the rows what deletion does; None where they stay as they are."""
        what = {
            Fate.DELETE: ("DELETE FROM", self.table, "t"),
            Fate.SCRUB: ("UPDATE", self.table, "t SET", self.scrub),
        }.get(self.fate)
        return " ".join((*what, "WHERE", self.whose)) if what else None
