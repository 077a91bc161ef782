"""A slow model of stored value and points: plain lists of lots, counted by hand."""

from collections.abc import Callable
from typing import Any

PRINCIPAL, BONUS, POINTS = "principal", "bonus", "points"
LIMIT_FEN = 20_000


class Grant:
    """What is left of one grant in somebody's pocket."""

    def __init__(self, owner: int, kind: str, left: int, at: int, **more: Any) -> None:
        self.owner, self.kind, self.left, self.at = owner, kind, left, at
        self.expires: int | None = more.get("expires")
        self.parent: Grant | None = more.get("parent")
        # The intention that first brought it, and for value that came with a merger, from whom.
        self.source: int = more["source"]
        self.merged_from: int | None = more.get("merged_from")

    def home(self, member: int) -> "Grant | None":
        """What it was in a member's pocket before that member became part of this one."""
        lot: Grant | None = self
        while lot is not None:
            if lot.merged_from == member and lot.owner == self.owner:
                return lot.parent
            lot = lot.parent
        return None


Taken = list[tuple[Grant, int]]


class Sale:
    """A debit, a posted hold or points spent: what it keeps of which lots."""

    def __init__(self, member: int, kept: Taken) -> None:
        self.member, self.kept = member, kept

    @property
    def left(self) -> int:
        return amount_of(self.kept)


class TopUp:
    """Money or points that came in, and how much of them has been taken back."""

    def __init__(self, member: int, source: int, amount: int, bonus: int = 0) -> None:
        self.member, self.source, self.amount, self.bonus = member, source, amount, bonus
        self.back = self.bonus_back = 0


class Hold:
    """What is set aside."""

    def __init__(self, member: int, drawn: Taken, ends: int) -> None:
        self.member, self.drawn, self.ends, self.is_open = member, drawn, ends, True


def amount_of(taken: Taken, kind: str | None = None) -> int:
    return sum(amount for lot, amount in taken if kind in {None, lot.kind})


def share(amount: int, principal: int, bonus: int) -> int:
    """The principal's part: nearest fen to the exact share, a half to the principal."""
    if amount == 0:
        return 0
    return (2 * amount * principal + principal + bonus) // (2 * (principal + bonus))


def split(parts: Taken, amount: int) -> Taken:
    """So much of what there is, in its own mix; in each kind in the order given."""
    from_principal = share(
        amount,
        amount_of(parts, PRINCIPAL),
        amount_of(parts) - amount_of(parts, PRINCIPAL),
    )
    return [
        *first([p for p in parts if p[0].kind == PRINCIPAL], from_principal),
        *first([p for p in parts if p[0].kind != PRINCIPAL], amount - from_principal),
    ]


def first(parts: Taken, amount: int) -> Taken:
    taken: Taken = []
    for lot, there in parts:
        part = min(there, amount)
        if part:
            taken.append((lot, part))
        amount -= part
    assert amount == 0
    return taken


def without(parts: Taken, gone: Taken) -> Taken:
    left = [(lot, amount - amount_of([g for g in gone if g[0] is lot])) for lot, amount in parts]
    return [(lot, amount) for lot, amount in left if amount]


class Model:
    """What some members hold. Each command answers what moved, or None where it is refused."""

    def __init__(self) -> None:
        self.lots: list[Grant] = []
        self.holds: list[Hold] = []
        # Who became part of whom, and whose balance an answer tells of.
        self.became: dict[int, int] = {}
        self.told = 0
        self.minute = 0
        self.sources = 0

    def heir(self, member: int) -> int:
        """Who has a member's value now."""
        while member in self.became:
            member = self.became[member]
        return member

    def pocket(self, member: int, **where: Any) -> Taken:
        """Unspent lots, oldest first."""
        is_points = where.get("points", False)
        only: Callable[[Grant], bool] = where.get("only", lambda _: True)
        found = [
            (lot, lot.left)
            for lot in self.lots
            if lot.owner == member and lot.left and (lot.kind == POINTS) == is_points and only(lot)
        ]
        return sorted(found, key=lambda part: (part[0].at, self.lots.index(part[0])))

    def balance(self, member: int, **where: Any) -> int:
        return amount_of(self.pocket(member, **where))

    def held(self, member: int) -> int:
        return sum(amount_of(h.drawn) for h in self.holds if h.member == member and h.is_open)

    def grant(self, member: int, kind: str, amount: int, **more: Any) -> None:
        more = {"at": self.minute, "source": self.sources, **more}
        if amount:
            self.lots.append(Grant(member, kind, amount, more.pop("at"), **more))

    def draw(self, taken: Taken) -> Taken:
        for lot, amount in taken:
            lot.left -= amount
            assert lot.left >= 0
        return taken

    def give_back(self, taken: Taken) -> Taken:
        for lot, amount in taken:
            lot.left += amount
        return taken

    def pay_in(self, member: int, amount: int, bonus: int) -> TopUp | None:
        if self.balance(member) + amount + bonus > LIMIT_FEN:
            return None
        self.sources += 1
        self.grant(member, PRINCIPAL, amount)
        self.grant(member, BONUS, bonus)
        return TopUp(member, self.sources, amount, bonus)

    def pay(self, member: int, amount: int) -> Sale | None:
        if amount > self.balance(member):
            return None
        return Sale(member, self.draw(split(self.pocket(member), amount)))

    def hold(self, member: int, amount: int, minutes: int) -> Hold | None:
        sale = self.pay(member, amount)
        if sale is None:
            return None
        self.holds.append(Hold(member, sale.kept, self.minute + minutes))
        return self.holds[-1]

    def post(self, hold: Hold, amount: int) -> Sale | None:
        if not hold.is_open or self.minute >= hold.ends or amount > amount_of(hold.drawn):
            return None
        hold.is_open = False
        sold = split(hold.drawn, amount)
        self.give_back(without(hold.drawn, sold))
        return Sale(hold.member, sold[:])

    def void(self, hold: Hold) -> Taken | None:
        if not hold.is_open:
            return None
        hold.is_open = False
        return self.give_back(hold.drawn)

    def sweep(self) -> tuple[int, int]:
        """How many holds and lots of points are over now."""
        over = [hold for hold in self.holds if hold.is_open and hold.ends <= self.minute]
        for hold in over:
            self.void(hold)
        ended = [
            lot
            for lot in self.lots
            if lot.left and lot.expires is not None and lot.expires <= self.minute
        ]
        for lot in ended:
            lot.left = 0
        return len(over), len(ended)

    def reverse_sale(self, sale: Sale, amount: int) -> Taken | None:
        if not 0 < amount <= sale.left:
            return None
        latest = sorted(sale.kept, key=lambda p: (p[0].at, self.lots.index(p[0])), reverse=True)
        back = split(latest, amount)
        sale.kept = without(sale.kept, back)
        self.go_home(self.give_back(back), sale.member)
        return back

    def go_home(self, given: Taken, owner: int) -> None:
        """Bring what was given back to whose it is now; note whose balance is told of."""
        self.told = self.heir(owner)
        homes = [self.home_of(lot, owner) for lot, _ in given]
        for member in dict.fromkeys(home.owner for home in homes if home.owner != owner):
            going = [
                (home, part)
                for home, part in zip(homes, given, strict=True)
                if home.owner == member
            ]
            self.draw([part for _, part in going])
            at_home = self.give_back([(home, amount) for home, (_, amount) in going])
            self.told = owner
            self.follow(at_home, member)
        own = zip(homes, given, strict=True)
        self.follow([part for home, part in own if home.owner == owner], owner)

    def follow(self, taken: Taken, member: int) -> None:
        """Go on to whom a member became."""
        heir = self.heir(member)
        if heir != member and taken:
            self.carry(self.draw(taken), heir, merged_from=member)
            self.told = heir

    def home_of(self, lot: Grant, owner: int) -> Grant:
        """The lot it was before its owner became one with somebody who is another again."""
        home, at = lot, owner
        while lot.merged_from is not None and lot.parent is not None:
            if self.heir(lot.merged_from) != self.heir(at):
                home, at = lot.parent, lot.merged_from
            lot = lot.parent
        return home

    def reverse_top_up(self, top_up: TopUp, amount: int) -> tuple[int, int] | None:
        """Principal and bonus that went; (0, 0) where not enough of them is there."""
        if not 0 < amount <= top_up.amount - top_up.back:
            return None
        bonus = top_up.bonus * (top_up.back + amount) // top_up.amount - top_up.bonus_back
        here = self.heir(top_up.member)
        of_it = self.pocket(here, only=lambda lot: lot.source == top_up.source)
        principal = [part for part in of_it if part[0].kind == PRINCIPAL]
        given = [part for part in of_it if part[0].kind == BONUS]
        if amount_of(principal) < amount or amount_of(given) < bonus:
            return 0, 0
        self.draw([*first(principal, amount), *first(given, bonus)])
        top_up.back += amount
        top_up.bonus_back += bonus
        return amount, bonus

    def refund(self, member: int, top_up: TopUp | None) -> Taken | None:
        source = top_up.source if top_up else None
        going = self.pocket(member, only=lambda lot: source in {None, lot.source})
        if not going or (top_up and not amount_of(going, PRINCIPAL)):
            return None
        return self.draw(going)

    def pass_on(self, member: int, to: int, amount: int) -> Taken | None:
        if member == to or amount > self.balance(member):
            return None
        if self.balance(to) + amount > LIMIT_FEN:
            return None
        return self.carry(self.draw(split(self.pocket(member), amount)), to)

    def carry(self, taken: Taken, to: int, merged_from: int | None = None) -> Taken:
        for lot, amount in taken:
            more = {"expires": lot.expires, "parent": lot, "source": lot.source}
            self.grant(to, lot.kind, amount, at=lot.at, merged_from=merged_from, **more)
        return taken

    def merge(self, member: int, into: int) -> Taken | None:
        if self.held(member):
            return None
        all_of_it = [*self.pocket(member), *self.pocket(member, points=True)]
        return self.carry(self.draw(all_of_it), into, merged_from=member)

    def unmerge(self, member: int, into: int) -> Taken | None:
        if self.held(into):
            return None
        going = [
            part
            for part in (*self.pocket(into), *self.pocket(into, points=True))
            if part[0].home(member) is not None
        ]
        homes = [(lot.home(member), amount) for lot, amount in self.draw(going)]
        return self.give_back([(home, amount) for home, amount in homes if home is not None])

    def earn(self, member: int, points: int, minutes: int) -> TopUp:
        self.sources += 1
        self.grant(member, POINTS, points, expires=self.minute + minutes)
        return TopUp(member, self.sources, points)

    def spend(self, member: int, points: int) -> Sale | None:
        live = self.pocket(member, points=True, only=self.is_live)
        if points > amount_of(live):
            return None
        return Sale(member, self.draw(first(live, points)))

    def is_live(self, lot: Grant) -> bool:
        return lot.expires is None or self.minute < lot.expires

    def reverse_earned(self, earned: TopUp, points: int) -> int | None:
        """How many points went, fewer where fewer are left; 0 where none are."""
        if not 0 < points <= earned.amount - earned.back:
            return None
        pocket = self.pocket(self.heir(earned.member), points=True)
        own = [part for part in pocket if part[0].source == earned.source]
        others = [part for part in pocket if part[0].source != earned.source]
        there = min(points, amount_of(pocket))
        self.draw(first([*own, *others], there))
        earned.back += there
        return there

    def adjust(self, member: int, kind: str, delta: int) -> bool:
        self.sources += 1
        if delta > 0:
            self.grant(member, kind, delta)
            return True
        of_kind = self.pocket(member, points=kind == POINTS, only=lambda lot: lot.kind == kind)
        if amount_of(of_kind) < -delta:
            return False
        self.draw(first(of_kind, -delta))
        return True
