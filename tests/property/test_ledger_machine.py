"""Any sequence of movements of money and points agrees with a slow model of the pockets.

`O2O_TESTS_LEDGER_STEPS` says how many steps are taken in all; the suite takes a thousand.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from o2o.kernel.errors import Fact
from o2o.ledger.actions.adjust_balance import adjust_balance
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.donate_points import donate_points
from o2o.ledger.actions.end_holds import post_holds, void_holds
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.hold_stored_value import hold_stored_value
from o2o.ledger.actions.pass_on_stored_value import pass_on_stored_value
from o2o.ledger.actions.refund_stored_value import refund_stored_value
from o2o.ledger.actions.reverse_transfers import reverse_debits, reverse_points, reverse_top_ups
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import AlreadySpent, BalanceLimitExceeded
from tests.factories import movements
from tests.factories.ledger import debit, grant, spend, top_up
from tests.property.ledger_model import (
    BONUS,
    LIMIT_FEN,
    POINTS,
    PRINCIPAL,
    Hold,
    Sale,
    TopUp,
    amount_of,
)
from tests.property.ledger_player import LOT_KINDS, MEMBERS, Player, asset_of, named

STEPS = int(os.environ.get("O2O_TESTS_LEDGER_STEPS", "1000"))
STEPS_PER_EXAMPLE = 50
# The rows are looked at by the product's own audit at the end and every so often.
VERIFY_EVERY = 20

members = st.integers(0, MEMBERS - 1)
fen = st.integers(1, 9_000)
parts = st.none() | st.integers(1, 6_000)
kinds = st.sampled_from([PRINCIPAL, BONUS, POINTS])


class LedgerMachine(RuleBasedStateMachine):
    """Each answer and all pockets must be the model's, and the books sound."""

    url: str
    top_ups = Bundle("top_ups")
    sales = Bundle("sales")
    holds = Bundle("holds")
    earnings = Bundle("earnings")
    spendings = Bundle("spendings")

    @initialize()
    def open(self) -> None:
        self.player = Player(self.url)
        self.model = self.player.model

    def teardown(self) -> None:
        if hasattr(self, "player"):
            try:
                self.player.verify()
            finally:
                self.player.close()

    @rule(target=top_ups, member=members, principal=fen, bonus=st.integers(0, 3_000))
    def tops_up(self, member: int, principal: int, bonus: int) -> Any:
        self.player.tick()
        expected = self.model.pay_in(member, principal, bonus)
        command = top_up(
            self.player.books,
            principal_fen=principal,
            bonus_fen=bonus,
            balance_fen_max=LIMIT_FEN,
            **self.player.who(member),
        )
        result = self.player.do(top_up_stored_value, command)
        if expected is None:
            assert type(result) is BalanceLimitExceeded
            return multiple()
        assert result.balance_fen == self.model.balance(member)
        return expected, result.transfer_id

    @rule(target=sales, wanted=st.lists(st.tuples(members, fen), min_size=1, max_size=3))
    def debits(self, wanted: Sequence[tuple[int, int]]) -> Any:
        """In one batch, in which each sees the ones before."""
        self.player.tick()
        commands = [
            debit(self.player.books, amount, **self.player.who(member)) for member, amount in wanted
        ]
        results = self.player.call(lambda tx: debit_stored_value(tx, commands))
        sold = []
        for (member, amount), result in zip(wanted, results, strict=True):
            sale = self.model.pay(member, amount)
            self.player.check_transferred(result, None if sale is None else sale.kept, of=member)
            if sale is not None:
                sold.append((sale, result.transfer_id))
        return multiple(*sold)

    @rule(target=holds, member=members, amount=fen, minutes=st.integers(1, 20))
    def holds_back(self, member: int, amount: int, minutes: int) -> Any:
        self.player.tick()
        expected = self.model.hold(member, amount, minutes)
        ends = self.player.now + timedelta(minutes=minutes)
        command = movements.hold(
            self.player.books, amount, expires_at=ends, **self.player.who(member)
        )
        result = self.player.do(hold_stored_value, command)
        assert isinstance(result, Fact) is (expected is None)
        if expected is None:
            return multiple()
        assert result.balance_fen == self.model.balance(member)
        return expected, named(result)

    @rule(target=sales, hold=holds, amount=parts)
    def posts(self, hold: tuple[Hold, Any], amount: int | None) -> Any:
        self.player.tick()
        model, hold_id = hold
        wanted = amount_of(model.drawn) if amount is None else amount
        sale = self.model.post(model, wanted)
        command = movements.post(
            self.player.books, hold_id, amount, **self.player.who(model.member)
        )
        result = self.player.do(post_holds, command)
        self.player.check_transferred(result, None if sale is None else sale.kept, of=model.member)
        return multiple() if sale is None else (sale, result.transfer_id)

    @rule(hold=holds)
    def voids(self, hold: tuple[Hold, Any]) -> None:
        self.player.tick()
        model, hold_id = hold
        back = self.model.void(model)
        command = movements.void(self.player.books, hold_id, **self.player.who(model.member))
        result = self.player.do(void_holds, command)
        self.player.check_transferred(result, back, of=model.member)

    @rule(minutes=st.integers(1, 12))
    def time_goes_by(self, minutes: int) -> None:
        self.player.tick(minutes)
        self.player.sweep()

    @rule(sale=sales, amount=parts)
    def reverses_sale(self, sale: tuple[Sale, Any], amount: int | None) -> None:
        self.player.tick()
        model, transfer_id = sale
        back = self.model.reverse_sale(model, model.left if amount is None else amount)
        command = movements.reverse(
            self.player.books, transfer_id, amount, **self.player.who(model.member)
        )
        result = self.player.do(reverse_debits, command)
        self.player.check_transferred(result, back, of=self.model.told)

    @rule(paid_in=top_ups, amount=parts)
    def reverses_top_up(self, paid_in: tuple[TopUp, Any], amount: int | None) -> None:
        self.player.tick()
        model, transfer_id = paid_in
        wanted = model.amount - model.back if amount is None else amount
        gone = self.model.reverse_top_up(model, wanted)
        command = movements.reverse(
            self.player.books, transfer_id, amount, **self.player.who(model.member)
        )
        result = self.player.do(reverse_top_ups, command)
        if not gone or not gone[0]:
            assert isinstance(result, Fact)
            assert isinstance(result, AlreadySpent) is (gone == (0, 0))
            return
        assert (result.principal_fen, result.bonus_fen) == gone
        assert result.balance_fen == self.model.balance(self.model.heir(model.member))

    @rule(member=members, paid_in=st.none() | top_ups)
    def refunds(self, member: int, paid_in: tuple[TopUp, Any] | None) -> None:
        self.player.tick()
        model, transfer_id = paid_in or (None, None)
        gone = self.model.refund(member, model)
        command = movements.refund(self.player.books, transfer_id, **self.player.who(member))
        result = self.player.do(refund_stored_value, command)
        self.player.check_transferred(result, gone, of=member)

    @rule(member=members, to=members, amount=fen)
    def passes_on(self, member: int, to: int, amount: int) -> None:
        self.player.tick()
        given = self.model.pass_on(member, to, amount)
        command = movements.pass_on(
            self.player.books,
            amount,
            to_member_id=self.player.members[to],
            balance_fen_max=LIMIT_FEN,
            **self.player.who(member),
        )
        result = self.player.do(pass_on_stored_value, command)
        self.player.check_transferred(result, given, of=member)

    @rule(member=members, into=members)
    def merges(self, member: int, into: int) -> None:
        if member != into and not {member, into} & self.model.became.keys():
            self.player.tick()
            self.player.merge(member, into)

    @precondition(lambda self: hasattr(self, "model") and self.model.became)
    @rule(pick=st.integers(0, MEMBERS))
    def comes_apart(self, pick: int) -> None:
        """The later merger first."""
        became = self.model.became
        last = [(member, into) for member, into in became.items() if into not in became]
        self.player.tick()
        self.player.unmerge(*last[pick % len(last)])

    @rule(target=sales, member=members, into=members, amount=fen, part=parts)
    def pays_as_one(self, member: int, into: int, amount: int, part: int | None) -> Any:
        """Two become one, pay, come apart, and take the charge back: by chance alone too rare."""
        self.merges(member, into)
        if self.model.became.get(member) != into:
            return multiple()
        [*sold] = self.debits([(into, amount)]).values
        self.player.tick()
        self.player.unmerge(member, into)
        for sale in sold:
            self.reverses_sale(sale, part)
        return multiple(*sold)

    @rule(target=earnings, member=members, points=st.integers(1, 500), minutes=st.integers(1, 40))
    def earns(self, member: int, points: int, minutes: int) -> Any:
        self.player.tick()
        expected = self.model.earn(member, points, minutes)
        ends = self.player.now + timedelta(minutes=minutes)
        command = grant(self.player.books, points, expires_at=ends, **self.player.who(member))
        return expected, self.player.do(grant_points, command).transfer_id

    @rule(target=spendings, member=members, points=st.integers(1, 700), is_given=st.booleans())
    def spends(self, member: int, points: int, is_given: bool) -> Any:
        """For something, or for a good cause."""
        self.player.tick()
        expected = self.model.spend(member, points)
        action, command = (donate_points, movements.donate) if is_given else (spend_points, spend)
        result = self.player.do(
            action, command(self.player.books, points, **self.player.who(member))
        )
        assert isinstance(result, Fact) is (expected is None)
        return multiple() if expected is None or is_given else (expected, result.transfer_id)

    @rule(spent=spendings, points=parts)
    def reverses_spent(self, spent: tuple[Sale, Any], points: int | None) -> None:
        self.player.tick()
        model, transfer_id = spent
        back = self.model.reverse_sale(model, model.left if points is None else points)
        command = movements.reverse(
            self.player.books, transfer_id, points, **self.player.who(model.member)
        )
        result = self.player.do(reverse_points, command)
        assert isinstance(result, Fact) is (back is None)

    @rule(earned=earnings, points=st.none() | st.integers(1, 300))
    def reverses_earned(self, earned: tuple[TopUp, Any], points: int | None) -> None:
        self.player.tick()
        model, transfer_id = earned
        wanted = model.amount - model.back if points is None else points
        gone = self.model.reverse_earned(model, wanted)
        command = movements.reverse(
            self.player.books, transfer_id, points, **self.player.who(model.member)
        )
        result = self.player.do(reverse_points, command)
        if not gone:
            assert isinstance(result, Fact)
            return
        assert result.points == gone
        heir = self.model.heir(model.member)
        assert result.points_balance == self.model.balance(heir, points=True)

    @rule(member=members, kind=kinds, delta=st.integers(-2_000, 2_000).filter(bool))
    def adjusts(self, member: int, kind: str, delta: int) -> None:
        self.player.tick()
        is_fine = self.model.adjust(member, kind, delta)
        command = movements.adjust(
            self.player.books,
            delta,
            asset=asset_of(kind),
            lot_kind=LOT_KINDS[kind],
            **self.player.who(member),
        )
        result = self.player.do(adjust_balance, command)
        assert isinstance(result, Fact) is not is_fine

    @precondition(lambda self: hasattr(self, "player") and self.player.earlier)
    @rule(pick=st.integers(0, 10**6), is_other=st.booleans())
    def repeats(self, pick: int, is_other: bool) -> None:
        self.player.repeat(pick, is_other=is_other)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "player"):
            return
        self.player.check()
        if self.player.steps % VERIFY_EVERY == VERIFY_EVERY - 1:
            self.player.verify()


def test_any_sequence_agrees_with_the_model(sessions: Any, database_url: str) -> None:
    machine = type("Machine", (LedgerMachine,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_PER_EXAMPLE),
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
