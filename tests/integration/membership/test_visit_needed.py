"""No money leaves a card without a live counter visit or a right of its own, whoever asks."""

import ast
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id, new_request_id
from o2o.membership.actions.ask_refund import ask_refund
from o2o.membership.actions.refund_stored_value_to_member import pay_refund_at_pad
from o2o.membership.desk import Desk
from o2o.membership.scanners import AtPad, Scanner
from o2o.membership.till import Till
from tests.factories.members import Counter, balance_of, count
from tests.fakes.clock import FakeClock

SOURCE = Path(__file__).parents[3] / "src" / "o2o"
ACTIONS = "membership/actions"
# What moves value in the books, who may call it, and by which right without a visit.
MOVERS: dict[str, dict[str, str]] = {
    "debit_stored_value": {f"{ACTIONS}/charge_at_counter.py": "check_visits and check_answers"},
    "top_up_stored_value": {f"{ACTIONS}/top_up_at_counter.py": "check_visits; by key it comes in"},
    "hold_stored_value": {
        f"{ACTIONS}/hold_at_counter.py": "check_visits and check_answers",
        f"{ACTIONS}/offer_pass_on.py": "the member's own session and pay PIN",
    },
    "post_holds": {f"{ACTIONS}/end_holds_by_key.py": "the visit in which a key held it"},
    "void_holds": {
        f"{ACTIONS}/end_holds_by_key.py": "goes back to the member",
        f"{ACTIONS}/accept_pass_on.py": "goes back to the member, who offered it",
        f"{ACTIONS}/withdraw_pass_on.py": "goes back to the member",
    },
    "expire_holds": {},
    "pass_on_stored_value": {f"{ACTIONS}/accept_pass_on.py": "offered with the pay PIN"},
    "refund_stored_value": {
        f"{ACTIONS}/refund_stored_value_to_member.py": "check_visits, or the bank account that the"
        " member named with the pay PIN or a fresh sign-in"
    },
    "reverse_debits": {
        f"{ACTIONS}/reverse_by_key.py": "goes back to the member; a scope of its own",
        f"{ACTIONS}/undo_at_counter.py": "goes back to the member",
    },
    "reverse_top_ups": {
        f"{ACTIONS}/reverse_by_key.py": "what was never paid in; a scope of its own",
        f"{ACTIONS}/undo_at_counter.py": "the clerk's own of ten minutes, or a manager's PIN",
    },
    "adjust_balance": {
        f"{ACTIONS}/approve_adjustment.py": "two people",
        f"{ACTIONS}/give_up_holdings.py": "the member leaves for good",
    },
    "enter_opening_balances": {
        f"{ACTIONS}/enter_bought_cards.py": "finance confirmed the file",
        f"{ACTIONS}/import_carry_cards.py": "finance confirmed the file",
    },
    "merge_wallets": {
        f"{ACTIONS}/merge_members.py": "stays with the person",
        f"{ACTIONS}/gather_merged.py": "stays with the person",
    },
    "unmerge_wallets": {f"{ACTIONS}/unmerge_members.py": "stays with the person"},
    # Points are no money.
    "grant_points": {
        f"{ACTIONS}/earn_points.py": "a charge",
        f"{ACTIONS}/give_points.py": "the programme",
        f"{ACTIONS}/move_points_by_key.py": "a scope of its own",
        f"{ACTIONS}/top_up_at_counter.py": "a package",
    },
    "spend_points": {f"{ACTIONS}/move_points_by_key.py": "a scope of its own"},
    "reverse_points": {
        f"{ACTIONS}/earn_points.py": "a reversed charge",
        f"{ACTIONS}/undo_at_counter.py": "the package of a top-up undone",
    },
    "donate_points": {"membership/web/diner_points.py": "the member's own session"},
    "expire_points": {},
}
# Public in the ledger's actions, but moving nothing by themselves.
STILL = {
    "add_liability",
    "announce_outcomes",
    "close_accounts",
    "open_member_accounts",
    "open_reversals",
    "open_store_accounts",
    "post_transfers",
    "seal_history",
}
# The ledger itself; and what enters the past of a demo or a bench never runs beside customers.
EXEMPT = ("ledger/", "app/demo/")


@cache
def importers() -> dict[str, set[str]]:
    """By what is imported, the files that have it in hand, whatever they then call it."""
    found = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        path, content = file.relative_to(SOURCE).as_posix(), file.read_text()
        if path.startswith(EXEMPT) or "o2o.ledger.actions" not in content:
            continue
        for node in ast.walk(ast.parse(content)):
            for one in node.names if isinstance(node, ast.ImportFrom) else ():
                found[one.name].add(path)
    return found


def importers_of(name: str) -> set[str]:
    return importers().get(name, set())


def test_every_action_of_the_ledger_is_in_the_table() -> None:
    actions = {
        node.name
        for file in (SOURCE / "ledger" / "actions").glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
    }
    assert actions == MOVERS.keys() | STILL
    assert importers_of("post_transfers") == set()


@pytest.mark.parametrize("mover", sorted(MOVERS))
def test_value_is_moved_by_those_who_may_only(mover: str) -> None:
    assert importers_of(mover) == MOVERS[mover].keys()


@pytest.fixture
def desk(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Desk:
    return Desk(sessions=sessions, seal=seal, clock=clock)


@pytest.fixture
def tries(
    till: Till, desk: Desk, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> dict[str, Callable[[Scanner, UUID | None], Awaitable[Any]]]:
    """Each way in which money moves at the counter, in a visit or without one."""

    async def refund(by: Scanner, visit_id: UUID | None) -> Any:
        assert isinstance(by, AtPad)
        asked: dict[str, Any] = {"request_id": new_request_id(), "now": clock.now()}
        async with transaction(sessions) as tx:
            refund_id = await ask_refund(
                tx,
                member_id=counter.member_id,
                brand_id=counter.brand.id,
                top_up_id=None,
                payee=None,
                seal=seal,
                **asked,
            )
        async with transaction(sessions) as tx:
            return await pay_refund_at_pad(
                tx,
                refund_id=refund_id,
                visit_id=visit_id or new_id(),
                expected_fen=10_000,
                tender=Tender.CASH,
                by=by,
                **asked,
            )

    def paid(by: Scanner, visit_id: UUID | None) -> dict[str, Any]:
        member_id = counter.member_id
        return {
            "request_id": new_request_id(),
            "member_id": member_id,
            "by": by,
            "visit_id": visit_id,
        }

    return {
        "charge": lambda by, visit: till.charge(amount_fen=1, **paid(by, visit)),
        "hold": lambda by, visit: desk.hold(
            amount_fen=1, lasting=timedelta(hours=1), **paid(by, visit)
        ),
        "top_up": lambda by, visit: till.top_up(
            principal_fen=1, bonus_fen=0, tender=Tender.CASH, **paid(by, visit)
        ),
        "refund": refund,
    }


@pytest.mark.parametrize("names_a_visit", [True, False])
@pytest.mark.parametrize(
    "way, who",
    [
        *(("charge", who) for who in ("pad", "near_pad", "far_pad", "key")),
        ("hold", "key"),
        *(("top_up", who) for who in ("pad", "far_pad")),
        *(("refund", who) for who in ("pad", "far_pad")),
    ],
)
async def test_without_a_live_visit_nobody_moves_money(
    way: str,
    who: str,
    names_a_visit: bool,
    tries: dict[str, Callable[[Scanner, UUID | None], Awaitable[Any]]],
    sessions: SessionFactory,
    counter: Counter,
) -> None:
    with pytest.raises(Fact) as refused:
        await tries[way](getattr(counter, who), new_id() if names_a_visit else None)

    without = "debit.unattended_not_allowed" if who == "key" else "visit.needed"
    is_named = names_a_visit or way == "refund"
    assert refused.value.code == ("visit.not_yours" if is_named else without)
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await count(sessions, "ledger_transfers") == 1
