"""Messages an account sent through the API, each accepted once per client_msg_id in ten minutes."""

import json
from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction

REPEAT_SECONDS = 600


def find_repeat(
    tx: Transaction, *, account: str, openid: str, api: str, client_msg_id: str | None
) -> int | None:
    """The msgid of the same message sent within the last ten minutes, if there is one."""
    if not client_msg_id:
        return None
    row = tx.row(
        "SELECT msgid FROM sent_messages WHERE account = :account AND openid = :openid"
        " AND api = :api AND client_msg_id = :client_msg_id AND at > :since ORDER BY at LIMIT 1",
        account=account,
        openid=openid,
        api=api,
        client_msg_id=client_msg_id,
        since=tx.now - REPEAT_SECONDS,
    )
    return None if row is None else int(row["msgid"])


def accept(
    tx: Transaction,
    *,
    account: str,
    person: str,
    openid: str,
    api: str,
    client_msg_id: str | None,
    body: dict[str, Any],
) -> int:
    """Enter a message into the books; returns its msgid."""
    msgid = ids.new_message_id(tx.now)
    tx.run(
        "INSERT INTO sent_messages (msgid, account, person, openid, api, client_msg_id, body, at)"
        " VALUES (:msgid, :account, :person, :openid, :api, :client_msg_id, :body, :now)",
        msgid=msgid,
        account=account,
        person=person,
        openid=openid,
        api=api,
        client_msg_id=client_msg_id or None,
        body=json.dumps(body, ensure_ascii=False),
        now=tx.now,
    )
    return msgid


def list_sent(tx: Transaction) -> list[dict[str, Any]]:
    """Every message accepted, in the order of acceptance."""
    rows = tx.rows("SELECT * FROM sent_messages ORDER BY at, msgid")
    return [dict(row) | {"body": json.loads(row["body"]), "at": iso(row["at"])} for row in rows]
