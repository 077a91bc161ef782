"""Stories: what became of each intention and each message, told from the history alone."""

from collections.abc import Iterable
from typing import Any

import msgspec

from chaos.history import Line

MONEY = ("debit", "top-up")
# Asks about everything unknown in the end, when nothing is under way any more.
SETTLER = "till-last"


class MoneyStory(msgspec.Struct, kw_only=True):
    """One intention with everything its clients heard of it."""

    op: str
    request_id: str
    member_id: str
    amount_fen: int
    first_invoke_ns: int
    first_ok_ns: int | None = None
    oks: list[dict[str, Any]] = msgspec.field(default_factory=list)
    fails: int = 0
    infos: int = 0
    is_settled: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it may or may not have happened: unheard, or refused after something unheard.

        A refusal proves nothing while an earlier attempt may still be under way.
        """
        return not self.oks and self.infos > 0 and not self.is_settled


class LookStory(msgspec.Struct, kw_only=True):
    """One look at a card: when it was asked and answered, and what it said."""

    member_id: str
    asked_ns: int
    told_ns: int
    balance_fen: int


class SayStory(msgspec.Struct, kw_only=True):
    """One message of one person."""

    openid: str
    msg_id: int
    content: str
    is_taken: bool
    is_answered: bool


class Stories(msgspec.Struct, kw_only=True):
    """The whole history, grouped."""

    money: dict[str, MoneyStory]
    looks: list[LookStory]
    sayings: list[SayStory]
    faults: list[str]


def tell(lines: Iterable[Line]) -> Stories:
    """Group the lines of a history by what they are about."""
    stories = Stories(money={}, looks=[], sayings=[], faults=[])
    asked: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.op in MONEY:
            _tell_money(stories.money, line)
        elif line.op == "look":
            _tell_look(stories.looks, line, asked)
        elif line.op == "say":
            if line.type in {"ok", "info"}:
                stories.sayings.append(_saying(line))
        elif line.process == "nemesis" and line.type == "ok":
            stories.faults.append(line.op)
    return stories


def _tell_money(money: dict[str, MoneyStory], line: Line) -> None:
    name = line.args["request_id"]
    story = money.get(name)
    if story is None:
        story = money[name] = MoneyStory(
            op=line.op,
            request_id=name,
            member_id=line.args["member_id"],
            amount_fen=line.args["amount_fen"],
            first_invoke_ns=line.monotonic_ns,
        )
    if line.type == "ok":
        story.oks.append(line.result)
        story.first_ok_ns = story.first_ok_ns or line.monotonic_ns
    elif line.type == "fail":
        story.fails += 1
    elif line.type == "info":
        story.infos += 1
    if line.process == SETTLER and line.type in {"ok", "fail"}:
        story.is_settled = True


def _tell_look(looks: list[LookStory], line: Line, asked: dict[tuple[str, str], int]) -> None:
    place = (line.process, line.args["member_id"])
    if line.type == "invoke":
        asked[place] = line.monotonic_ns
    elif line.type == "ok":
        looks.append(
            LookStory(
                member_id=place[1],
                asked_ns=asked[place],
                told_ns=line.monotonic_ns,
                balance_fen=line.result,
            )
        )


def _saying(line: Line) -> SayStory:
    is_taken = line.type == "ok"
    return SayStory(
        openid=line.args["openid"],
        msg_id=line.args["msg_id"],
        content=line.args["content"],
        is_taken=is_taken,
        is_answered=is_taken and bool(line.result["is_answered"]),
    )
