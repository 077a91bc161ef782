"""Judge the messages: what people wrote was taken in once, what they are owed came once."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chaos.stories import SayStory


class MessageEvidence(msgspec.Struct, kw_only=True):
    """The inbox, WeChat's books and the phones in the end."""

    # Texts in the inbox: openid, msg_id, content; in the order in which they came.
    inbox: list[dict[str, Any]]
    # What WeChat accepted, by its own books: kind, openid, client_msg_id, …
    accepted: list[dict[str, Any]]
    # What reached the phones, by openid.
    seen: dict[str, list[dict[str, Any]]]
    # What members are owed: openid → ids of the transfers in their cards, as client_msg_id.
    owed: dict[str, set[str]]
    # Outbox messages that nobody could deliver, and files set aside by the spool.
    dead: int
    set_aside: int


def judge_messages(sayings: Sequence[SayStory], evidence: MessageEvidence) -> list[str]:
    """Check inbox, replies and template messages."""
    faults = [f"{evidence.dead} dead letters"] if evidence.dead else []
    faults += [f"{evidence.set_aside} messages set aside"] if evidence.set_aside else []
    return [
        *faults,
        *_taken_in(sayings, evidence.inbox),
        *_answered(sayings, evidence.seen),
        *_told(evidence),
    ]


def _taken_in(sayings: Sequence[SayStory], inbox: Sequence[dict[str, Any]]) -> list[str]:
    counts = Counter(str(row["msg_id"]) for row in inbox)
    faults = [f"message {name} is in the inbox {n} times" for name, n in counts.items() if n > 1]
    faults += [
        f"message {saying.msg_id} was acknowledged and is lost"
        for saying in sayings
        if saying.is_taken and str(saying.msg_id) not in counts
    ]
    orders: dict[str, list[int]] = defaultdict(list)
    for row in inbox:
        orders[row["openid"]].append(int(row["msg_id"]))
    faults += [
        f"messages of {openid} were taken in out of order"
        for openid, order in orders.items()
        if order != sorted(order)
    ]
    return faults


def _answered(
    sayings: Sequence[SayStory], seen: Mapping[str, Sequence[dict[str, Any]]]
) -> list[str]:
    """Each acknowledged message has one answer; one that WeChat gave up on, at most one."""
    taken = Counter(saying.openid for saying in sayings if saying.is_taken)
    said = Counter(saying.openid for saying in sayings)
    later_least = Counter(
        saying.openid for saying in sayings if saying.is_taken and not saying.is_answered
    )
    faults = []
    for openid in said:
        # The first text is the greeting.
        texts = [m for m in seen[openid] if m["kind"] in {"text", "custom"}][1:]
        later = sum(message["kind"] == "custom" for message in texts)
        if not taken[openid] <= len(texts) <= said[openid]:
            faults.append(
                f"{openid} got {len(texts)} answers to {taken[openid]} to {said[openid]} messages"
            )
        unsure = said[openid] - taken[openid]
        if not later_least[openid] <= later <= later_least[openid] + unsure:
            faults.append(
                f"{openid} got {later} late answers, {later_least[openid]} to"
                f" {later_least[openid] + unsure} were due"
            )
    return faults


def _told(evidence: MessageEvidence) -> list[str]:
    """Every movement of a member's card is told once, and nothing else is."""
    faults = []
    names = Counter(one["client_msg_id"] for one in evidence.accepted if one["client_msg_id"])
    faults += [f"WeChat took {name} {n} times" for name, n in names.items() if n > 1]
    for openid, owed in evidence.owed.items():
        told = {
            one["client_msg_id"]
            for one in evidence.accepted
            if one["openid"] == openid and one["kind"] == "template"
        }
        shown = [m["msgid"] for m in evidence.seen[openid] if m["kind"] == "template"]
        if missing := owed - told:
            faults.append(
                f"{openid} was not told of {len(missing)} movements: {sorted(missing)[:3]}"
            )
        if extra := told - owed:
            faults.append(f"{openid} was told of {len(extra)} movements that are none")
        if len(shown) != len(set(shown)) or len(shown) != len(owed):
            faults.append(f"{openid} saw {len(shown)} messages of {len(owed)} movements")
    return faults
