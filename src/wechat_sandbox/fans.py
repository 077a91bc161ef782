"""Who follows which account, since when and through which code."""

import sqlite3

from wechat_sandbox.database import Transaction

SCENE_BY_QR = "ADD_SCENE_QR_CODE"


def find_fan(tx: Transaction, *, account: str, person: str) -> sqlite3.Row | None:
    return tx.row(
        "SELECT * FROM fans WHERE account = :account AND person = :person",
        account=account,
        person=person,
    )


def is_following(tx: Transaction, *, account: str, person: str) -> bool:
    fan = find_fan(tx, account=account, person=person)
    return fan is not None and bool(fan["is_subscribed"])


def is_refusing(tx: Transaction, *, account: str, person: str) -> bool:
    """The person has switched this account's messages off: template messages end `user block`."""
    fan = find_fan(tx, account=account, person=person)
    return fan is not None and bool(fan["is_refusing"])


def follow(
    tx: Transaction, *, account: str, person: str, scene_id: int = 0, scene_str: str = ""
) -> None:
    """Begin (or begin again) to follow; the remark of an earlier time is gone, as in WeChat."""
    tx.run(
        "INSERT INTO fans (account, person, is_subscribed, subscribed_at, subscribe_scene,"
        " qr_scene, qr_scene_str)"
        " VALUES (:account, :person, 1, :now, :scene, :scene_id, :scene_str)"
        " ON CONFLICT (account, person) DO UPDATE SET is_subscribed = 1,"
        " subscribed_at = excluded.subscribed_at, subscribe_scene = excluded.subscribe_scene,"
        " qr_scene = excluded.qr_scene, qr_scene_str = excluded.qr_scene_str, remark = ''",
        account=account,
        person=person,
        now=tx.now,
        scene=SCENE_BY_QR,
        scene_id=scene_id,
        scene_str=scene_str,
    )
    tx.notify("people", person=person, account=account)


def unfollow(tx: Transaction, *, account: str, person: str) -> None:
    tx.run(
        "UPDATE fans SET is_subscribed = 0 WHERE account = :account AND person = :person",
        account=account,
        person=person,
    )
    tx.notify("people", person=person, account=account)


def refuse_only(tx: Transaction, *, person: str, accounts: list[str]) -> None:
    """Switch messages off for exactly these of the accounts the person has ever followed."""
    for row in tx.rows("SELECT account FROM fans WHERE person = :person", person=person):
        tx.run(
            "UPDATE fans SET is_refusing = :refusing WHERE account = :account AND person = :person",
            refusing=int(row["account"] in accounts),
            account=row["account"],
            person=person,
        )
    tx.notify("people", person=person)
