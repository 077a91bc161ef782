"""Judge the money: the clients' stories against the rows of the books, row by row.

Each check returns sentences about what is wrong; an empty list is a clean bill.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chaos.stories import LookStory, MoneyStory

KINDS = {"debit": "debit", "top-up": "top_up"}
SIGNS = {"debit": -1, "top-up": 1}


class MoneyEvidence(msgspec.Struct, kw_only=True):
    """The books in the end."""

    # Of the cards in use, since the round began: request_id, id, kind, amount, owner_id, seq,
    # balance_after; in the order of the books.
    transfers: list[dict[str, Any]]
    balances_before: dict[str, int]
    balances_after: dict[str, int]
    # What the API says of the same cards.
    balances_told: dict[str, int]
    # Sum over all entries per asset.
    totals: dict[str, int]
    # Sums that were read while it all went on.
    totals_seen: list[int]


def judge_money(
    stories: Mapping[str, MoneyStory], looks: Sequence[LookStory], evidence: MoneyEvidence
) -> list[str]:
    """Check once-only, no acknowledged loss, conservation, no negative, order and fresh reads."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in evidence.transfers:
        rows[row["request_id"]].append(row)
    return [
        *(fault for story in stories.values() for fault in _once(story, rows[story.request_id])),
        *(f"transfer of an unknown request {name}" for name in rows if name not in stories),
        *_conserved(stories, rows, evidence),
        *_in_order(stories, rows),
        *_fresh(looks, stories, evidence, rows=rows),
    ]


def _once(story: MoneyStory, rows: Sequence[dict[str, Any]]) -> list[str]:
    name = f"{story.op} {story.request_id}"
    if len(rows) > 1:
        return [f"{name} took effect {len(rows)} times"]
    if story.is_open:
        return [f"{name} was never settled"]
    if not story.oks:
        return [f"{name} was refused and took effect"] if rows else []
    if not rows:
        return [f"{name} was acknowledged and is lost"]
    [row] = rows
    faults = []
    if (row["kind"], row["amount"], row["owner_id"]) != (
        KINDS[story.op],
        story.amount_fen,
        story.member_id,
    ):
        faults.append(f"{name} is in the books as {row}")
    faults += [
        f"{name} was answered {told}, the books say {row}"
        for told in story.oks
        if (told["transfer_id"], told["balance_fen"]) != (row["id"], row["balance_after"])
    ]
    if sum(told["status"] == 201 for told in story.oks) > 1:
        faults.append(f"{name} was created twice by its answers")
    return faults


def _conserved(
    stories: Mapping[str, MoneyStory],
    rows: Mapping[str, Sequence[dict[str, Any]]],
    evidence: MoneyEvidence,
) -> list[str]:
    expected = Counter(evidence.balances_before)
    for name, story in stories.items():
        expected[story.member_id] += SIGNS[story.op] * sum(row["amount"] for row in rows[name])
    faults = [
        f"card {member_id}: expected {expected[member_id]}, books {balance},"
        f" API {evidence.balances_told.get(member_id)}"
        for member_id, balance in evidence.balances_after.items()
        if not expected[member_id] == balance == evidence.balances_told.get(member_id)
    ]
    faults += [
        f"card {row['owner_id']} went below zero: {row}"
        for row in evidence.transfers
        if row["balance_after"] < 0
    ]
    faults += [f"{asset} sums to {total}" for asset, total in evidence.totals.items() if total]
    faults += [f"a snapshot summed to {total}" for total in evidence.totals_seen if total]
    return faults


def _in_order(
    stories: Mapping[str, MoneyStory], rows: Mapping[str, Sequence[dict[str, Any]]]
) -> list[str]:
    """What was acknowledged before another was asked for stands before it in the card's books."""
    cards: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    acknowledged: dict[str, int | None] = {}
    for name, story in stories.items():
        for row in rows[name]:
            cards[story.member_id].append((row["seq"], story.first_invoke_ns, name))
            acknowledged[name] = story.first_ok_ns
    faults = []
    for effects in cards.values():
        # Backwards: nothing may have been acknowledged before an earlier effect was asked for.
        earliest_ack: tuple[int, str] | None = None
        for _, invoked_ns, name in sorted(effects, reverse=True):
            if earliest_ack is not None and earliest_ack[0] < invoked_ns:
                faults.append(f"{name} stands before {earliest_ack[1]}, which was done before it")
            ack = acknowledged[name]
            if ack is not None and (earliest_ack is None or ack < earliest_ack[0]):
                earliest_ack = (ack, name)
    return faults


def _fresh(
    looks: Sequence[LookStory],
    stories: Mapping[str, MoneyStory],
    evidence: MoneyEvidence,
    *,
    rows: Mapping[str, Sequence[dict[str, Any]]],
) -> list[str]:
    """A look shows a balance that the card had: not older than what was acknowledged before."""
    acknowledged: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, story in stories.items():
        if story.first_ok_ns is not None and rows[name]:
            place = (story.first_ok_ns, rows[name][0]["seq"])
            acknowledged[story.member_id].append(place)
    held: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for member_id, balance in evidence.balances_before.items():
        held[member_id].append((-1, balance))
    for row in evidence.transfers:
        held[row["owner_id"]].append((row["seq"], row["balance_after"]))
    faults = []
    for look in looks:
        least = max(
            (seq for told_ns, seq in acknowledged[look.member_id] if told_ns < look.asked_ns),
            default=-1,
        )
        if not any(
            seq >= least and balance == look.balance_fen for seq, balance in held[look.member_id]
        ):
            faults.append(
                f"card {look.member_id} was shown with {look.balance_fen}, not since long"
            )
    return faults
