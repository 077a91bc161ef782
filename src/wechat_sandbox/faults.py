"""Misbehaviour on command: rules that delay, refuse, drop, duplicate or reorder exchanges."""

import json
import secrets
from fnmatch import fnmatchcase
from typing import Annotated, Any

import msgspec

from wechat_sandbox.database import Transaction

CALLBACK = "callback"
_RANDOM_STEPS = 1_000_000


class FaultRule(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One rule. `match` is an API path with `*` wildcards, or "callback".

    `applied` lets an API call take effect before it goes wrong, so that the caller cannot know.
    `event` narrows a callback rule to one message type or event name, `account` to one slug.
    """

    match: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    account: str | None = None
    event: str | None = None
    errcode: int | None = None
    errmsg: str | None = None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    drop: bool = False
    applied: bool = False
    duplicate: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    reorder: bool = False
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0

    def matches(self, *, path: str, account: str | None, event: str | None) -> bool:
        # The wildcards are for API paths; only a rule that says so touches callbacks.
        is_for_callbacks = self.match == CALLBACK
        if is_for_callbacks != (path == CALLBACK) or not fnmatchcase(path, self.match):
            return False
        if self.account is not None and self.account != account:
            return False
        return self.event is None or self.event == event


def replace_rules(tx: Transaction, rules: list[FaultRule]) -> None:
    tx.run("DELETE FROM fault_rules")
    for rule in rules:
        tx.run(
            "INSERT INTO fault_rules (rule, times_left) VALUES (:rule, :times)",
            rule=msgspec.json.encode(rule).decode(),
            times=rule.times,
        )
    tx.notify("faults")


def list_rules(tx: Transaction) -> list[dict[str, Any]]:
    """The rules as given, each with `times_left` where it counts down."""
    listed = []
    for row in tx.rows("SELECT rule, times_left FROM fault_rules ORDER BY position"):
        rule: dict[str, Any] = json.loads(row["rule"])
        if row["times_left"] is not None:
            rule["times_left"] = row["times_left"]
        listed.append(rule)
    return listed


def take_fault(
    tx: Transaction, *, path: str, account: str | None, event: str | None = None
) -> FaultRule | None:
    """The first live rule that matches and whose dice fall; counts it where it is counted."""
    for row in tx.rows("SELECT position, rule, times_left FROM fault_rules ORDER BY position"):
        if row["times_left"] is not None and row["times_left"] <= 0:
            continue
        rule = msgspec.json.decode(row["rule"], type=FaultRule)
        if not rule.matches(path=path, account=account, event=event):
            continue
        if secrets.randbelow(_RANDOM_STEPS) >= rule.probability * _RANDOM_STEPS:
            continue
        if row["times_left"] is not None:
            tx.run(
                "UPDATE fault_rules SET times_left = times_left - 1 WHERE position = :position",
                position=row["position"],
            )
            tx.notify("faults")
        return rule
    return None
