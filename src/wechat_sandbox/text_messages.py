"""Text messages that reach the phones: kept by number, as an inbox beside WeChat."""

from typing import Any

from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction
from wechat_sandbox.people import Person

SHOWN_MAX = 100


def receive(
    tx: Transaction, *, phone: str, sender: str, content: str, message_id: str | None
) -> bool:
    """Keep a message; whether it is new. One to a number that nobody has is read by nobody."""
    if message_id is not None and tx.number(
        "SELECT 1 FROM text_messages WHERE message_id = :message_id", message_id=message_id
    ):
        return False
    tx.run(
        "INSERT INTO text_messages (phone, sender, content, message_id, at)"
        " VALUES (:phone, :sender, :content, :message_id, :at)",
        phone=phone,
        sender=sender,
        content=content,
        message_id=message_id,
        at=tx.now,
    )
    for row in tx.rows("SELECT id FROM people WHERE phone = :phone", phone=phone):
        tx.notify("sms", person=row["id"])
    return True


def inbox(tx: Transaction, person: Person) -> list[dict[str, Any]]:
    """The messages to a person's number, oldest first."""
    rows = tx.rows(
        "SELECT * FROM (SELECT * FROM text_messages WHERE phone = :phone"
        " ORDER BY seq DESC LIMIT :most) ORDER BY seq",
        phone=person.phone,
        most=SHOWN_MAX,
    )
    return [
        {
            "seq": row["seq"],
            "sender": row["sender"],
            "text": row["content"],
            "at": iso(row["at"]),
        }
        for row in rows
    ]
