"""What a person sees in the chat with one official account, in order.

`direction` is the person's: "in" is what reached their phone, "out" is what they sent or tapped.
"""

import json
from typing import Any

from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction

CHAT_PAGE_MAX = 1000


def add_message(
    tx: Transaction,
    *,
    account: str,
    person: str,
    direction: str,
    kind: str,
    body: dict[str, Any],
) -> int:
    """Append one message and tell the phone; returns its seq."""
    seq = tx.insert(
        "INSERT INTO chat (account, person, direction, kind, at, body)"
        " VALUES (:account, :person, :direction, :kind, :now, :body)",
        account=account,
        person=person,
        direction=direction,
        kind=kind,
        now=tx.now,
        body=json.dumps(body, ensure_ascii=False),
    )
    tx.notify("chat", person=person, account=account, seq=seq, direction=direction)
    return seq


def list_messages(
    tx: Transaction, *, account: str, person: str, after: int = 0
) -> list[dict[str, Any]]:
    """The last thousand messages after `after`, oldest first."""
    rows = tx.rows(
        "SELECT * FROM (SELECT seq, direction, kind, at, body FROM chat"
        " WHERE person = :person AND account = :account AND seq > :after"
        " ORDER BY seq DESC LIMIT :page) ORDER BY seq",
        person=person,
        account=account,
        after=after,
        page=CHAT_PAGE_MAX,
    )
    return [
        json.loads(row["body"])
        | {
            "seq": row["seq"],
            "direction": row["direction"],
            "kind": row["kind"],
            "at": iso(row["at"]),
        }
        for row in rows
    ]
