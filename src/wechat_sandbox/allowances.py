"""How many customer-service messages an account may send a person, and until when.

Facts: the official customer-service page as restated in 2026-10. A message from the person allows 5
in 48 hours; a menu tap, following and scanning a code each allow 3 within one minute.
"""

from dataclasses import dataclass

from wechat_sandbox.database import Transaction


@dataclass(frozen=True, slots=True)
class Grant:
    """What one kind of act of a person allows the account to do."""

    message_count: int
    seconds: int


GRANTS = {
    "message": Grant(message_count=5, seconds=48 * 3600),
    "click": Grant(message_count=3, seconds=60),
    "follow": Grant(message_count=3, seconds=60),
    "scan": Grant(message_count=3, seconds=60),
}
TYPING_SECONDS = 30


class WindowClosed(Exception):
    """No act of the person is recent enough."""


class CountSpent(Exception):
    """A window is open, but its messages are used up."""


def grant(tx: Transaction, *, account: str, person: str, kind: str) -> None:
    """The person acted: the window of this kind opens anew with its full count."""
    allowed = GRANTS[kind]
    tx.run(
        "INSERT INTO allowances (account, person, kind, granted_at, expires_at, remaining)"
        " VALUES (:account, :person, :kind, :now, :expires_at, :remaining)"
        " ON CONFLICT (account, person, kind) DO UPDATE SET granted_at = excluded.granted_at,"
        " expires_at = excluded.expires_at, remaining = excluded.remaining",
        account=account,
        person=person,
        kind=kind,
        now=tx.now,
        expires_at=tx.now + allowed.seconds,
        remaining=allowed.message_count,
    )


def close_all(tx: Transaction, *, account: str, person: str) -> None:
    """Whoever unfollows is not written to any more."""
    tx.run(
        "DELETE FROM allowances WHERE account = :account AND person = :person",
        account=account,
        person=person,
    )


def spend(tx: Transaction, *, account: str, person: str) -> None:
    """Use one message of the window that closes first. Raises WindowClosed, CountSpent."""
    open_windows = tx.rows(
        "SELECT kind, remaining FROM allowances WHERE account = :account AND person = :person"
        " AND expires_at > :now ORDER BY expires_at",
        account=account,
        person=person,
        now=tx.now,
    )
    if not open_windows:
        raise WindowClosed
    for window in open_windows:
        if window["remaining"] > 0:
            tx.run(
                "UPDATE allowances SET remaining = remaining - 1"
                " WHERE account = :account AND person = :person AND kind = :kind",
                account=account,
                person=person,
                kind=window["kind"],
            )
            return
    raise CountSpent


def seconds_since_act(tx: Transaction, *, account: str, person: str) -> float | None:
    """How long ago the person last did something that opens a window; None when never."""
    row = tx.row(
        "SELECT max(granted_at) AS at FROM allowances"
        " WHERE account = :account AND person = :person",
        account=account,
        person=person,
    )
    return None if row is None or row["at"] is None else tx.now - row["at"]
