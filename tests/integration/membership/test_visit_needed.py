"""No money leaves a card without a live counter visit or a right of its own, whoever asks."""

import ast
from pathlib import Path

import pytest

from o2o.infra.database import SessionFactory
from o2o.kernel.ids import new_id, new_request_id
from o2o.membership.scanners import Scanner
from o2o.membership.till import Till
from tests.factories.members import Counter, balance_of, count

SOURCE = Path(__file__).parents[3] / "src" / "o2o"
# What takes stored value off a card, and who may call it, each with the reason why.
TAKERS = {
    # Through check_visits and check_answers.
    "debit_stored_value": {"membership/actions/charge_at_counter.py"},
}
# What enters the past of a demo or a bench never runs beside customers.
EXEMPT = ("ledger/", "app/demo/")


def callers_of(name: str) -> set[str]:
    found = set()
    for file in SOURCE.rglob("*.py"):
        path = file.relative_to(SOURCE).as_posix()
        if path.startswith(EXEMPT):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                label = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                if label == name:
                    found.add(path)
    return found


@pytest.mark.parametrize("taker", sorted(TAKERS))
def test_stored_value_is_taken_through_the_counter_only(taker: str) -> None:
    assert callers_of(taker) == TAKERS[taker]


@pytest.mark.parametrize("who", ["pad", "near_pad", "far_pad", "key"])
@pytest.mark.parametrize("names_a_visit", [True, False])
async def test_without_a_live_visit_nobody_charges(
    who: str, names_a_visit: bool, till: Till, sessions: SessionFactory, counter: Counter
) -> None:
    by: Scanner = getattr(counter, who)
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the code is asserted below
        await till.charge(
            request_id=new_request_id(),
            member_id=counter.member_id,
            amount_fen=1,
            by=by,
            visit_id=new_id() if names_a_visit else None,
        )
    expected = (
        "visit.not_yours"
        if names_a_visit
        else ("debit.unattended_not_allowed" if who == "key" else "visit.needed")
    )
    assert getattr(refused.value, "code", None) == expected
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await count(sessions, "ledger_transfers", "kind = 'debit'") == 0
