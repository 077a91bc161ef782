"""The judges of chaos: a clean run passes, and each way of cheating is seen."""

from collections.abc import Callable
from typing import Any

import pytest

from chaos.judge_messages import MessageEvidence, judge_messages
from chaos.judge_money import MoneyEvidence, judge_money
from chaos.stories import LookStory, MoneyStory, SayStory

CARD = "card"


def story(name: str, amount: int, *, at: int, after: int, op: str = "debit") -> MoneyStory:
    return MoneyStory(
        op=op,
        request_id=name,
        member_id=CARD,
        amount_fen=amount,
        first_invoke_ns=at,
        first_ok_ns=at + 5,
        oks=[{"status": 201, "transfer_id": f"t-{name}", "balance_fen": after}],
    )


def row(name: str, amount: int, *, seq: int, after: int, kind: str = "debit") -> dict[str, Any]:
    return {
        "request_id": name,
        "id": f"t-{name}",
        "kind": kind,
        "amount": amount,
        "owner_id": CARD,
        "seq": seq,
        "balance_after": after,
    }


class Case:
    """A card of 100 fen: 30 taken, 50 put on, 20 taken; one more debit was refused."""

    def __init__(self) -> None:
        self.stories = {
            "a": story("a", 30, at=10, after=70),
            "b": story("b", 50, at=20, after=120, op="top-up"),
            "c": story("c", 20, at=30, after=100),
            "d": MoneyStory(
                op="debit",
                request_id="d",
                member_id=CARD,
                amount_fen=900,
                first_invoke_ns=40,
                fails=1,
            ),
        }
        self.looks = [LookStory(member_id=CARD, asked_ns=26, told_ns=27, balance_fen=120)]
        self.evidence = MoneyEvidence(
            transfers=[
                row("a", 30, seq=1, after=70),
                row("b", 50, seq=2, after=120, kind="top_up"),
                row("c", 20, seq=3, after=100),
            ],
            balances_before={CARD: 100},
            balances_after={CARD: 100},
            balances_told={CARD: 100},
            totals={"stored_value": 0},
            totals_seen=[0, 0],
        )

    def judged(self) -> list[str]:
        return judge_money(self.stories, self.looks, self.evidence)


def lose(case: Case) -> None:
    del case.evidence.transfers[2]
    case.evidence.balances_after[CARD] = case.evidence.balances_told[CARD] = 120


def double(case: Case) -> None:
    case.evidence.transfers.append(row("c", 20, seq=4, after=80))
    case.evidence.balances_after[CARD] = case.evidence.balances_told[CARD] = 80


def act_on_a_refusal(case: Case) -> None:
    case.evidence.transfers.append(row("d", 900, seq=4, after=-800))


def leave_open(case: Case) -> None:
    case.stories["c"].oks = []
    case.stories["c"].infos = 1


def answer_otherwise(case: Case) -> None:
    case.stories["c"].oks.append({"status": 200, "transfer_id": "t-x", "balance_fen": 100})


def create_twice(case: Case) -> None:
    case.stories["c"].oks *= 2


def drift(case: Case) -> None:
    case.evidence.balances_after[CARD] = 101


def tell_otherwise(case: Case) -> None:
    case.evidence.balances_told[CARD] = 99


def unbalance(case: Case) -> None:
    case.evidence.totals["stored_value"] = 1


def show_an_unbalanced_snapshot(case: Case) -> None:
    case.evidence.totals_seen.append(-20)


def overtake(case: Case) -> None:
    case.evidence.transfers[1]["seq"], case.evidence.transfers[2]["seq"] = 3, 2


def show_the_past(case: Case) -> None:
    case.looks[0].balance_fen = 70


def write_for_nobody(case: Case) -> None:
    case.evidence.transfers.append(row("z", 1, seq=4, after=99))


def test_clean_run_passes() -> None:
    assert Case().judged() == []


def test_unknown_that_was_refused_in_the_end_did_not_happen() -> None:
    case = Case()
    case.stories["d"].infos = 2
    case.stories["d"].is_settled = True
    assert case.judged() == []
    act_on_a_refusal(case)
    assert case.judged() != []


@pytest.mark.parametrize(
    "cheat",
    [
        lose,
        double,
        act_on_a_refusal,
        leave_open,
        answer_otherwise,
        create_twice,
        drift,
        tell_otherwise,
        unbalance,
        show_an_unbalanced_snapshot,
        overtake,
        show_the_past,
        write_for_nobody,
    ],
)
def test_each_way_of_cheating_with_money_is_seen(cheat: Callable[[Case], None]) -> None:
    case = Case()
    cheat(case)
    assert case.judged() != []


class Chat:
    """One person wrote twice: one answer at once, one late; one movement was told."""

    def __init__(self) -> None:
        self.sayings = [
            SayStory(openid="o", msg_id=1, content="x", is_taken=True, is_answered=True),
            SayStory(openid="o", msg_id=2, content="y", is_taken=True, is_answered=False),
        ]
        self.evidence = MessageEvidence(
            inbox=[{"openid": "o", "msg_id": "1"}, {"openid": "o", "msg_id": "2"}],
            accepted=[{"kind": "template", "openid": "m", "client_msg_id": "t1"}],
            seen={
                "o": [{"kind": "text"}, {"kind": "text"}, {"kind": "custom"}],
                "m": [{"kind": "template", "msgid": 5}],
            },
            owed={"m": {"t1"}},
            dead=0,
            set_aside=0,
        )

    def judged(self) -> list[str]:
        return judge_messages(self.sayings, self.evidence)


CHEATS: dict[str, Callable[[Chat], object]] = {
    "lost": lambda c: c.evidence.inbox.pop(),
    "taken in twice": lambda c: c.evidence.inbox.append({"openid": "o", "msg_id": "2"}),
    "out of order": lambda c: c.evidence.inbox.reverse(),
    "answered twice": lambda c: c.evidence.seen["o"].append({"kind": "custom"}),
    "not answered": lambda c: c.evidence.seen["o"].pop(),
    "late answer missing": lambda c: c.evidence.seen["o"].__setitem__(2, {"kind": "text"}),
    "not told": lambda c: c.evidence.accepted.clear(),
    "told twice": lambda c: c.evidence.accepted.append(c.evidence.accepted[0]),
    "shown twice": lambda c: c.evidence.seen["m"].append({"kind": "template", "msgid": 5}),
    "told of nothing": lambda c: c.evidence.owed["m"].clear(),
    "dead letter": lambda c: setattr(c.evidence, "dead", 1),
    "set aside": lambda c: setattr(c.evidence, "set_aside", 1),
}


def test_clean_chat_passes() -> None:
    assert Chat().judged() == []


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_way_of_cheating_with_messages_is_seen(cheat: str) -> None:
    chat = Chat()
    CHEATS[cheat](chat)
    assert chat.judged() != []
