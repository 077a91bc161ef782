"""Callbacks that WeChat owes an account, kept until they are done so that a crash loses none."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message or event for one account; `trigger` is its type or its event name."""

    id: int
    account: str
    person: str
    openid: str
    trigger: str
    dedupe_key: str
    message: dict[str, Any]


def owe(
    tx: Transaction, *, account: str, person: str, trigger: str, message: dict[str, Any]
) -> Delivery:
    """Write down that this message is to be pushed."""
    openid: str = message["FromUserName"]
    if "MsgId" in message:
        key = f"msg:{message['MsgId']}"
    else:
        key = f"event:{openid}+{message['CreateTime']}+{trigger}"
    delivery_id = tx.insert(
        "INSERT INTO deliveries (account, person, openid, trigger, dedupe_key, message, state, at)"
        " VALUES (:account, :person, :openid, :trigger, :key, :message, 'pending', :now)",
        account=account,
        person=person,
        openid=openid,
        trigger=trigger,
        key=key,
        message=json.dumps(message, ensure_ascii=False),
        now=tx.now,
    )
    return Delivery(delivery_id, account, person, openid, trigger, key, message)


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        row["id"],
        row["account"],
        row["person"],
        row["openid"],
        row["trigger"],
        row["dedupe_key"],
        json.loads(row["message"]),
    )


def list_owed(tx: Transaction) -> list[Delivery]:
    rows = tx.rows("SELECT * FROM deliveries WHERE state = 'pending' ORDER BY id")
    return [_delivery(row) for row in rows]


def note_try(tx: Transaction, delivery: Delivery, status: int) -> None:
    """One more try, with the HTTP status it met; 0 where no answer came."""
    row = tx.row("SELECT statuses FROM deliveries WHERE id = :id", id=delivery.id)
    assert row is not None, "a delivery is never deleted"
    statuses = [*json.loads(row["statuses"]), status]
    tx.run(
        "UPDATE deliveries SET tries = tries + 1, statuses = :statuses WHERE id = :id",
        statuses=json.dumps(statuses),
        id=delivery.id,
    )


def finish(tx: Transaction, delivery: Delivery, *, succeeded: bool) -> None:
    tx.run(
        "UPDATE deliveries SET state = :state WHERE id = :id",
        state="done" if succeeded else "failed",
        id=delivery.id,
    )


def list_deliveries(tx: Transaction, *, after: int = 0) -> list[dict[str, Any]]:
    rows = tx.rows("SELECT * FROM deliveries WHERE id > :after ORDER BY id", after=after)
    return [
        {
            "id": row["id"],
            "account": row["account"],
            "person": row["person"],
            "openid": row["openid"],
            "trigger": row["trigger"],
            "key": row["dedupe_key"],
            "state": row["state"],
            "tries": row["tries"],
            "statuses": json.loads(row["statuses"]),
            "at": iso(row["at"]),
        }
        for row in rows
    ]
