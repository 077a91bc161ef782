"""Play the product's books and the slow model side by side: one method per command."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, text

from o2o.crm.members import Member
from o2o.crm.organisation import Tier
from o2o.crm.statuses import Asset, LotKind, MemberStatus
from o2o.infra.database import Tx, create_engine, create_sessions, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, TransferId, new_id, new_request_id
from o2o.ledger.actions.end_holds import expire_holds
from o2o.ledger.actions.expire_points import expire_points
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.actions.open_accounts import open_member_accounts
from o2o.ledger.errors import HoldsOpen
from o2o.ledger.queries import list_wallets
from o2o.ledger.queries.refunds import quote_refunds
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import Books, given_committed_books
from tests.fakes.clock import NOON
from tests.property.ledger_model import BONUS, POINTS, PRINCIPAL, Model, Taken, amount_of

MEMBERS = 3

_BECOME_ONE = text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :id")
_COME_APART = text("UPDATE members SET status = 'active', merged_into_id = NULL WHERE id = :id")


def fields_of(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


class Player:
    """Real books on a connection of their own, beside the model."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.engine = create_engine(url, pool_size=2)
        self.sessions = create_sessions(self.engine)
        self.model = Model()
        self.books: Books = self.runner.run(given_committed_books(self.sessions))
        third = MemberId(new_id())
        self.members = [self.books.member_id, self.books.other_member_id, third]
        self.call(
            lambda tx: open_member_accounts(
                tx, brand_id=self.books.brand_id, member_ids=[third], now=NOON
            )
        )
        for member_id in self.members:
            self.call(partial(self._add_member, member_id=member_id))
        # What earlier players left is over, so that each sweep is this one's alone.
        for action in (expire_holds, expire_points):
            self.call(partial(action, now=NOON + timedelta(days=365), limit=10_000))
        self.steps = 0
        self.earlier: list[tuple[Any, Any, Any]] = []

    async def _add_member(self, tx: Tx, *, member_id: MemberId) -> None:
        tier_id = await tx.scalar(select(Tier.id).where(Tier.brand_id == self.books.brand_id))
        tx.add(
            Member(
                id=member_id,
                brand_id=self.books.brand_id,
                tier_id=tier_id,
                joined_at=NOON,
                status=MemberStatus.ACTIVE,
            )
        )

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()

    def call(self, action: Callable[[Tx], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            async with transaction(self.sessions) as tx:
                return await action(tx)

        return self.runner.run(run())

    @property
    def now(self) -> datetime:
        return NOON + timedelta(minutes=self.model.minute)

    def tick(self, minutes: int = 1) -> None:
        self.model.minute += minutes
        self.steps += 1

    def who(self, member: int) -> dict[str, Any]:
        return {"member_id": self.members[member], "now": self.now}

    def do(self, action: Any, command: Any) -> Any:
        """One command in a transaction of its own."""
        [result] = self.call(lambda tx: action(tx, [command]))
        if not isinstance(result, Fact):
            self.earlier.append((action, command, result))
        return result

    def repeat(self, pick: int, *, is_other: bool) -> None:
        """Send an earlier command again: the same answer; with another body: refused."""
        action, command, first = self.earlier[pick % len(self.earlier)]
        if is_other:
            other = type(command)(**{**fields_of(command), "reason": "another"})
            [result] = self.call(lambda tx: action(tx, [other]))
            assert type(result) is RequestBodyDiffers
            return
        [again] = self.call(lambda tx: action(tx, [command]))
        assert again.is_replay
        assert {**fields_of(again), "is_replay": False} == fields_of(first)

    def merge(self, member: int, into: int) -> None:
        """As membership does it: the wallets and the member's row in one transaction."""
        if self._move_wallets(merge_wallets, self.model.merge, member, into):
            self.model.became[member] = into

    def unmerge(self, member: int, into: int) -> None:
        """Likewise."""
        if self._move_wallets(unmerge_wallets, self.model.unmerge, member, into):
            del self.model.became[member]

    def _move_wallets(self, action: Any, of_model: Any, member: int, into: int) -> bool:
        both: dict[str, Any] = {
            "request_id": new_request_id(),
            "from_member_id": self.members[member],
            "into_member_id": self.members[into],
            "now": self.now,
        }
        expected = of_model(member, into)
        row = {"id": self.members[member], "into": self.members[into]}

        async def move(tx: Tx) -> Any:
            moved = await action(tx, **both)
            await tx.execute(_BECOME_ONE if action is merge_wallets else _COME_APART, row)
            return moved

        try:
            moved = self.call(move)
        except HoldsOpen:
            assert expected is None
            return False
        assert expected is not None
        told = (moved.principal_fen, moved.bonus_fen, moved.points)
        assert told == tuple(amount_of(expected, kind) for kind in (PRINCIPAL, BONUS, POINTS))
        if any(told):
            again = self.call(lambda tx: action(tx, **both))
            assert (again.is_replay, again.points) == (True, moved.points)
        return True

    def sweep(self) -> None:
        over = self.model.sweep()
        holds = self.call(lambda tx: expire_holds(tx, now=self.now, limit=1_000))
        lots = self.call(lambda tx: expire_points(tx, now=self.now, limit=1_000))
        assert (holds, lots) == over

    def check_transferred(self, result: Any, expected: Taken | None, *, of: int) -> None:
        """The answer names what the model moved, in its parts, and what is left."""
        if expected is None:
            assert isinstance(result, Fact), result
            return
        assert not isinstance(result, Fact), result
        assert (result.principal_fen, result.bonus_fen) == (
            amount_of(expected, PRINCIPAL),
            amount_of(expected, BONUS),
        )
        assert result.amount_fen == amount_of(expected)
        assert result.balance_fen == self.model.balance(of)

    def check(self) -> None:
        """Everybody's wallet is the model's."""
        wallets = self.call(lambda tx: list_wallets(tx, self.members))
        for number, member_id in enumerate(self.members):
            wallet, pocket = wallets[member_id], self.model.pocket(number)
            assert (wallet.principal_fen, wallet.bonus_fen, wallet.held_fen) == (
                amount_of(pocket, PRINCIPAL),
                amount_of(pocket, BONUS),
                self.model.held(number),
            )
            assert wallet.points == self.model.balance(number, points=True)

    def verify(self) -> None:
        """Refunds are the model's; and all books hold together, whatever the model says."""

        async def look(tx: Tx) -> None:
            for number, member_id in enumerate(self.members):
                quote = await quote_refunds(tx, member_id, now=self.now)
                lines = sorted((q.principal_left_fen, q.bonus_left_fen) for q in quote.lines)
                assert lines == self.refunds_of(self.model.pocket(number))

        self.call(look)
        assert self.runner.run(verify_ledger(self.sessions)).faults == []

    @staticmethod
    def refunds_of(pocket: Taken) -> list[tuple[int, int]]:
        by_source: dict[int, Taken] = {}
        for lot, amount in pocket:
            by_source.setdefault(lot.source, []).append((lot, amount))
        return sorted((amount_of(p, PRINCIPAL), amount_of(p, BONUS)) for p in by_source.values())


LOT_KINDS = {PRINCIPAL: LotKind.PRINCIPAL, BONUS: LotKind.BONUS, POINTS: LotKind.POINTS}


def asset_of(kind: str) -> Asset:
    return Asset.POINTS if kind == POINTS else Asset.CNY_FEN


def named(result: Any) -> TransferId:
    return TransferId(result.hold_id if hasattr(result, "hold_id") else result.transfer_id)
