"""Evidence: what the database, the API, WeChat's books and the phones say in the end."""

from collections.abc import Mapping, Sequence

import httpx

from chaos.judge_messages import MessageEvidence
from chaos.judge_money import MoneyEvidence
from chaos.people import Person, Phones
from chaos.product import Product
from chaos.rows import read_rows
from chaos.talkers import Watcher
from chaos.tills import Card

LOOK_SECONDS = 30.0


def read_balances(product: Product, cards: Sequence[Card]) -> dict[str, int]:
    """Return what the cards hold, by the books."""
    rows = read_rows(
        product.data_dir,
        "SELECT owner_id, balance FROM ledger_accounts WHERE kind = 'member_stored_value'"
        " AND owner_id::text = ANY(string_to_array(:'members', ','))",
        members=[card.member_id for card in cards],
    )
    return {row["owner_id"]: row["balance"] for row in rows}


def read_totals(product: Product) -> dict[str, int]:
    """Return the sum over all entries of each asset, in one snapshot."""
    rows = read_rows(
        product.data_dir,
        "SELECT a.asset, sum(e.amount) AS total FROM ledger_entries e"
        " JOIN ledger_accounts a ON a.id = e.account_id GROUP BY a.asset",
    )
    return {row["asset"]: int(row["total"]) for row in rows}


def last_entry(product: Product) -> int:
    """Return the number of the newest entry in the books."""
    [row] = read_rows(product.data_dir, "SELECT coalesce(max(seq), 0) AS seq FROM ledger_entries")
    return int(row["seq"])


def gather_money(
    product: Product,
    cards: Sequence[Card],
    *,
    since: int,
    balances_before: Mapping[str, int],
    totals_seen: Sequence[int],
) -> MoneyEvidence:
    """Read the books of these cards after entry `since`, and ask the API about them too."""
    members = [card.member_id for card in cards]
    transfers = read_rows(
        product.data_dir,
        "SELECT t.request_id, t.id, t.kind, t.amount, a.owner_id, e.seq, e.balance_after"
        " FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id"
        " JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.kind = 'member_stored_value' AND e.seq > :'since'::bigint"
        " AND a.owner_id::text = ANY(string_to_array(:'members', ',')) ORDER BY e.seq",
        since=since,
        members=members,
    )
    with httpx.Client(
        base_url=f"{product.url}/api/v1",
        headers={"Authorization": f"Bearer {product.demo['api_key']}"},
        trust_env=False,
        timeout=LOOK_SECONDS,
    ) as api:
        told = {name: api.get(f"/members/{name}").json()["balance_fen"] for name in members}
    return MoneyEvidence(
        transfers=transfers,
        balances_before=dict(balances_before),
        balances_after=read_balances(product, cards),
        balances_told=told,
        totals=read_totals(product),
        totals_seen=list(totals_seen),
    )


def gather_messages(
    product: Product,
    phones: Phones,
    *,
    watcher: Watcher,
    members: Mapping[str, Person],
    talkers: Sequence[Person],
    since: int,
) -> MessageEvidence:
    """Read the inbox, WeChat's books and the phones; `members` by member id."""
    owed: dict[str, set[str]] = {person.openid: set() for person in members.values()}
    rows = read_rows(
        product.data_dir,
        "SELECT a.owner_id, t.id FROM ledger_entries e JOIN ledger_transfers t"
        " ON t.id = e.transfer_id JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.kind = 'member_stored_value' AND e.seq > :'since'::bigint"
        " AND a.owner_id::text = ANY(string_to_array(:'members', ','))",
        since=since,
        members=list(members),
    )
    for row in rows:
        owed[members[row["owner_id"]].openid].add(row["id"].replace("-", ""))
    inbox = read_rows(
        product.data_dir,
        "SELECT openid, sent->>'MsgId' AS msg_id FROM inbound_messages WHERE kind = 'text'"
        " AND openid = ANY(string_to_array(:'openids', ',')) ORDER BY received_at, id",
        openids=[person.openid for person in talkers],
    )
    [dead] = read_rows(
        product.data_dir, "SELECT count(*) FROM outbox_messages WHERE dead_at IS NOT NULL"
    )
    return MessageEvidence(
        inbox=inbox,
        accepted=phones.books()["messages"],
        seen=watcher.seen,
        owed=owed,
        dead=dead["count"],
        set_aside=len(list((product.data_dir / "spool").glob("*.rejected"))),
    )
