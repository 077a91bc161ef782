"""A demo member's card as it is written on: each movement, and the balances it leaves."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from o2o.app.demo.people import DemoMember
from o2o.app.demo.shapes import Brand, Store, Tier

MovementKind = Literal["top_up", "debit", "earn", "spend"]

_WHOLE_BP = 10_000
_FEN_PER_YUAN = 100
# Twelve months, in days: a fixed length, so that no leap day moves anybody up or down.
_TIER_WINDOW = timedelta(days=365)


class DemoMovement(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened at a counter; what a kind does not use is 0.

    `top_up`: `amount_fen` = `principal_fen` + `bonus_fen` comes onto the card. `debit`:
    `amount_fen` leaves it, after the tier's discount. `earn` (at the moment of its debit) and
    `spend`: `points` come and go. `at` is UTC; `store` and `clerk_login` are a code and a login.
    """

    kind: MovementKind
    member_ref: str
    store: str
    at: datetime
    clerk_login: str
    principal_fen: int = 0
    bonus_fen: int = 0
    amount_fen: int = 0
    points: int = 0


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """Where, when and with whom a movement takes place."""

    store: Store
    at: datetime
    clerk_login: str

    def later(self, by: timedelta) -> "Counter":
        """Return the same counter at another moment."""
        return msgspec.structs.replace(self, at=self.at + by)


class Passbook:
    """One card as it is written on; refuses whatever the product's ledger would refuse."""

    def __init__(self, member: DemoMember, brand: Brand, *, limit_fen: int) -> None:
        """Open an empty card that may hold at most `limit_fen`."""
        self.balance_fen = 0
        self.points = 0
        self.movements: list[DemoMovement] = []
        self._member = member
        self._brand = brand
        self._limit_fen = limit_fen

    def tier_at(self, at: datetime) -> Tier:
        """Return the tier that the debits of the twelve months before a moment lead to."""
        since = at - _TIER_WINDOW
        spent_fen = sum(
            movement.amount_fen
            for movement in self.movements
            if movement.kind == "debit" and since < movement.at < at
        )
        return self._brand.tier_at(spent_fen)

    @property
    def room_fen(self) -> int:
        """How much more the card may hold."""
        return self._limit_fen - self.balance_fen

    def _write(self, kind: MovementKind, counter: Counter, **quantities: int) -> None:
        self.movements.append(
            DemoMovement(
                kind=kind,
                member_ref=self._member.ref,
                store=counter.store.code,
                at=counter.at,
                clerk_login=counter.clerk_login,
                **quantities,
            )
        )

    def top_up(self, counter: Counter, *, principal_fen: int, bonus_fen: int) -> None:
        """Put money on the card."""
        amount_fen = principal_fen + bonus_fen
        assert 0 < amount_fen <= self.room_fen
        self.balance_fen += amount_fen
        self._write(
            "top_up",
            counter,
            principal_fen=principal_fen,
            bonus_fen=bonus_fen,
            amount_fen=amount_fen,
        )

    def price_fen(self, bill_fen: int, *, at: datetime) -> int:
        """Return a bill less the tier's discount, which is rounded down."""
        discount_bp = self.tier_at(at).discount_bp
        return bill_fen - bill_fen * discount_bp // _WHOLE_BP

    def charge(self, counter: Counter, amount_fen: int) -> None:
        """Take a paid bill off the card; points by the tier held before, rounded down."""
        assert 0 < amount_fen <= self.balance_fen
        tier = self.tier_at(counter.at)
        self.balance_fen -= amount_fen
        self._write("debit", counter, amount_fen=amount_fen)
        yuan = amount_fen // _FEN_PER_YUAN
        earned = yuan * self._brand.points.points_per_yuan * tier.points_multiplier_bp // _WHOLE_BP
        if earned:
            self.points += earned
            self._write("earn", counter, points=earned)

    def spend_points(self, counter: Counter, points: int) -> None:
        """Give points for a reward."""
        assert 0 < points <= self.points
        self.points -= points
        self._write("spend", counter, points=points)
