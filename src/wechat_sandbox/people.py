"""The people who hold phones: who they are, their openid in every account, whom they follow."""

import secrets
import sqlite3
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.accounts import DEFAULT_UNIONID_GROUP, introduce, list_accounts
from wechat_sandbox.database import Transaction

HUES = 360


@dataclass(frozen=True, slots=True)
class Person:
    """`is_snapshot` means pages see a virtual stranger in place of this person."""

    id: str
    name: str
    phone: str
    language: str
    hue: int
    is_snapshot: bool
    latitude: float | None
    longitude: float | None


def _person(row: sqlite3.Row) -> Person:
    return Person(
        id=row["id"],
        name=row["name"],
        phone=row["phone"],
        language=row["language"],
        hue=row["hue"],
        is_snapshot=bool(row["snapshot"]),
        latitude=row["latitude"],
        longitude=row["longitude"],
    )


def seed_people(tx: Transaction) -> None:
    """Put the first people in, once; whoever deletes the state gets them back with new openids."""
    if tx.number("SELECT count(*) FROM people"):
        return
    text = files("wechat_sandbox").joinpath("data/people.toml").read_text(encoding="utf-8")
    for seed in tomllib.loads(text)["person"]:
        add_person(
            tx,
            person_id=seed["id"],
            name=seed["name"],
            phone=seed["phone"],
            language=seed["language"],
            hue=seed["hue"],
        )


def add_person(
    tx: Transaction,
    *,
    person_id: str | None = None,
    name: str,
    phone: str | None = None,
    language: str = "zh_CN",
    hue: int | None = None,
) -> Person:
    """A new person, known to every account by an openid before they ever follow it."""
    person_id = person_id or f"p{secrets.token_hex(4)}"
    tx.run(
        "INSERT INTO people (id, name, phone, language, hue)"
        " VALUES (:id, :name, :phone, :language, :hue)",
        id=person_id,
        name=name,
        phone=phone or f"199{secrets.randbelow(10**8):08d}",
        language=language,
        hue=secrets.randbelow(HUES) if hue is None else hue,
    )
    tx.run(
        "INSERT INTO unionids (unionid, unionid_group, person) VALUES (:unionid, :grp, :person)",
        unionid=ids.new_unionid(),
        grp=DEFAULT_UNIONID_GROUP,
        person=person_id,
    )
    for account in list_accounts(tx):
        introduce(
            tx,
            account=account.slug,
            appid=account.appid,
            person=person_id,
            group=account.unionid_group,
        )
    tx.notify("people", person=person_id)
    return get_person(tx, person_id)


def list_people(tx: Transaction) -> list[Person]:
    return [_person(row) for row in tx.rows("SELECT * FROM people ORDER BY position")]


def find_person(tx: Transaction, person_id: str) -> Person | None:
    row = tx.row("SELECT * FROM people WHERE id = :id", id=person_id)
    return None if row is None else _person(row)


def get_person(tx: Transaction, person_id: str) -> Person:
    """Raises LookupError."""
    person = find_person(tx, person_id)
    if person is None:
        raise LookupError(person_id)
    return person


def openid_of(tx: Transaction, *, account: str, person: str) -> str:
    row = tx.row(
        "SELECT openid FROM openids WHERE account = :account AND person = :person",
        account=account,
        person=person,
    )
    assert row is not None, "everyone is introduced to every account when either is made"
    openid: str = row["openid"]
    return openid


def find_person_by_openid(tx: Transaction, *, account: str, openid: str) -> str | None:
    """The person behind an openid of this very account; another account's openid is a stranger."""
    row = tx.row(
        "SELECT person FROM openids WHERE openid = :openid AND account = :account",
        openid=openid,
        account=account,
    )
    return None if row is None else row["person"]


def unionid_of(tx: Transaction, *, group: str, person: str) -> str | None:
    row = tx.row(
        "SELECT unionid FROM unionids WHERE unionid_group = :grp AND person = :person",
        grp=group,
        person=person,
    )
    return None if row is None else row["unionid"]


def record_of(tx: Transaction, person: Person) -> dict[str, Any]:
    """What the control API shows of a person."""
    openids = tx.rows("SELECT account, openid FROM openids WHERE person = :id", id=person.id)
    following = tx.rows(
        "SELECT account FROM fans WHERE person = :id AND is_subscribed = 1 ORDER BY subscribed_at",
        id=person.id,
    )
    refusing = tx.rows(
        "SELECT account FROM fans WHERE person = :id AND is_refusing = 1 ORDER BY account",
        id=person.id,
    )
    located = person.latitude is not None and person.longitude is not None
    return {
        "id": person.id,
        "name": person.name,
        "unionid": unionid_of(tx, group=DEFAULT_UNIONID_GROUP, person=person.id),
        "openids": {row["account"]: row["openid"] for row in openids},
        "following": [row["account"] for row in following],
        "refusing": [row["account"] for row in refusing],
        "phone": person.phone,
        "language": person.language,
        "snapshot": person.is_snapshot,
        "avatar": f"/avatars/{person.id}.svg",
        "location": {"lat": person.latitude, "lng": person.longitude} if located else None,
    }


def change_person(tx: Transaction, person_id: str, changes: dict[str, Any]) -> None:
    """Set the named columns that are not None; the caller has checked their values."""
    for column, value in changes.items():
        assert column in {"snapshot", "language", "next_scan", "latitude", "longitude"}
        if value is not None:
            tx.run(f"UPDATE people SET {column} = :value WHERE id = :id", value=value, id=person_id)  # noqa: S608 - asserted above
    tx.notify("people", person=person_id)


def take_next_scan(tx: Transaction, person_id: str) -> str | None:
    """What the person's next scan will read, if someone prepared it; gone after this."""
    row = tx.row("SELECT next_scan FROM people WHERE id = :id", id=person_id)
    if row is None or row["next_scan"] is None:
        return None
    tx.run("UPDATE people SET next_scan = NULL WHERE id = :id", id=person_id)
    text: str = row["next_scan"]
    return text
