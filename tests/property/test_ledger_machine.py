"""Any sequence of top-ups, debits and points agrees with a small model of two pockets."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from o2o.infra.database import Tx, create_engine, create_sessions, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import MemberId
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.actions.grant_points import PointsMoved, grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import BalanceLimitExceeded, InsufficientBalance, InsufficientPoints
from o2o.ledger.journal import Intention
from o2o.ledger.queries import get_wallet, list_statement
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import Books, debit, given_committed_books, grant, spend, top_up
from tests.fakes.clock import NOON

LIMIT_FEN = 20_000
members = st.integers(0, 1)
fen = st.integers(1, 9_000)


class Card:
    """The model: what one member holds, counted by hand."""

    def __init__(self) -> None:
        self.principal = 0
        self.bonus = 0
        self.points: list[list[int]] = []  # [left, minute of expiry]
        self.amounts: list[int] = []

    @property
    def balance(self) -> int:
        return self.principal + self.bonus

    def top_up(self, principal: int, bonus: int) -> bool:
        if self.balance + principal + bonus > LIMIT_FEN:
            return False
        self.principal += principal
        self.bonus += bonus
        self.amounts += [principal, bonus] if bonus else [principal]
        return True

    def debit(self, amount: int) -> bool:
        if amount > self.balance:
            return False
        # Nearest fen to the exact share, a half to the principal.
        share = (2 * amount * self.principal + self.balance) // (2 * self.balance)
        self.principal -= share
        self.bonus -= amount - share
        self.amounts.append(-amount)
        return True

    def spend(self, points: int, minute: int) -> bool:
        live = [lot for lot in self.points if minute < lot[1]]
        if points > sum(left for left, _ in live):
            return False
        for lot in live:
            taken = min(lot[0], points)
            lot[0] -= taken
            points -= taken
        return True


class LedgerMachine(RuleBasedStateMachine):
    """Commands in batches of one or two; each answer and all books must be the model's."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.minute = 0
        self.earlier: list[tuple[Any, Intention, Any]] = []

    @initialize()
    def open(self) -> None:
        self.engine = create_engine(self.url, pool_size=2)
        self.sessions = create_sessions(self.engine)
        self.books: Books = self.runner.run(given_committed_books(self.sessions))
        self.members = [self.books.member_id, self.books.other_member_id]
        self.cards = [Card(), Card()]

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.runner.run(self.engine.dispose())
        self.runner.close()

    def do(self, action: Callable[..., Coroutine[Any, Any, Any]], *commands: Any) -> list[Any]:
        async def call() -> list[Any]:
            async with transaction(self.sessions) as tx:
                return list(await action(tx, commands))

        results = self.runner.run(call())
        self.earlier += [
            (action, command, result)
            for command, result in zip(commands, results, strict=True)
            if not isinstance(result, Exception)
        ]
        return results

    def fields(self, member: int) -> dict[str, Any]:
        self.minute += 1
        return {
            "member_id": self.members[member],
            "now": NOON + timedelta(minutes=self.minute),
        }

    @rule(member=members, principal=fen, bonus=st.integers(0, 3_000))
    def tops_up(self, member: int, principal: int, bonus: int) -> None:
        is_fine = self.cards[member].top_up(principal, bonus)
        command = top_up(
            self.books,
            principal_fen=principal,
            bonus_fen=bonus,
            balance_fen_max=LIMIT_FEN,
            **self.fields(member),
        )
        [result] = self.do(top_up_stored_value, command)
        assert type(result) is (Transferred if is_fine else BalanceLimitExceeded)

    @rule(amounts=st.lists(st.tuples(members, fen), min_size=1, max_size=3))
    def debits(self, amounts: Sequence[tuple[int, int]]) -> None:
        are_fine = [self.cards[member].debit(amount) for member, amount in amounts]
        commands = [debit(self.books, amount, **self.fields(member)) for member, amount in amounts]
        results = self.do(debit_stored_value, *commands)
        assert [type(result) for result in results] == [
            Transferred if is_fine else InsufficientBalance for is_fine in are_fine
        ]

    @rule(member=members, points=st.integers(1, 500), minutes=st.integers(1, 12))
    def earns(self, member: int, points: int, minutes: int) -> None:
        fields = self.fields(member)
        self.cards[member].points.append([points, self.minute + minutes])
        command = grant(
            self.books, points, expires_at=fields["now"] + timedelta(minutes=minutes), **fields
        )
        [result] = self.do(grant_points, command)
        assert type(result) is PointsMoved

    @rule(member=members, points=st.integers(1, 700))
    def spends(self, member: int, points: int) -> None:
        command = spend(self.books, points, **self.fields(member))
        is_fine = self.cards[member].spend(points, self.minute)
        [result] = self.do(spend_points, command)
        assert type(result) is (PointsMoved if is_fine else InsufficientPoints)

    @precondition(lambda self: self.earlier)
    @rule(pick=st.integers(0, 10**6), is_other=st.booleans())
    def repeats(self, pick: int, is_other: bool) -> None:
        action, command, first = self.earlier[pick % len(self.earlier)]
        if is_other:
            other = type(command)(**{**fields_of(command), "reason": "another"})
            assert type(self.do(action, other)[0]) is RequestBodyDiffers
            return
        [again] = self.do(action, command)
        assert again.is_replay
        assert {**fields_of(again), "is_replay": first.is_replay} == fields_of(first)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "books"):
            return

        async def look(tx: Tx, member_id: MemberId, card: Card) -> None:
            wallet = await get_wallet(tx, member_id)
            assert (wallet.principal_fen, wallet.bonus_fen) == (card.principal, card.bonus)
            assert wallet.balance_fen == card.balance
            assert wallet.points == sum(left for left, _ in card.points)
            lines = await list_statement(tx, member_id, limit=100)
            assert [line.amount for line in reversed(lines)] == card.amounts[-100:]

        async def look_at_all() -> None:
            async with transaction(self.sessions) as tx:
                for member_id, card in zip(self.members, self.cards, strict=True):
                    await look(tx, member_id, card)
            assert (await verify_ledger(self.sessions)).faults == []

        self.runner.run(look_at_all())


def fields_of(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_any_sequence_agrees_with_the_model(sessions: Any, database_url: str) -> None:
    machine = type("Machine", (LedgerMachine,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
