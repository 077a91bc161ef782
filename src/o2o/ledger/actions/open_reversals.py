"""Open reversals: lock the pockets of whom transfers touched, and read what is left of them.

A member may have become part of another since. The value of both is one: what is taken back from
an earlier transfer comes out of the pocket where it is now, and what is given back goes there. Two
who were one when a transfer was made may have come apart since: what is given back goes to the one
whose it was.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.ids import LotId, MemberId, StoreId, TransferId
from o2o.ledger.actions.go_on import GoingOn
from o2o.ledger.errors import (
    AlreadyReversed,
    MemberMoved,
    NotReversible,
    TransferNotFound,
)
from o2o.ledger.journal import (
    Intention,
    Journal,
    LotReturn,
    Pocket,
    Posting,
    Reverses,
)
from o2o.ledger.queries.books import lock_books
from o2o.ledger.queries.homes import EarlierLot, find_earlier_lots
from o2o.ledger.queries.reversals import (
    Subject,
    find_descent,
    find_heirs,
    find_subjects,
    read_state,
)
from o2o.ledger.rules.draw import Lot
from o2o.ledger.rules.limits import check_amount
from o2o.ledger.rules.returns import less, share_returns


class ReverseTransfer(Intention, frozen=True, kw_only=True):
    """Take `amount` (fen or points) of a transfer back, all that is left of it if None."""

    transfer_id: TransferId
    amount: int | None = None


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """One reversal that is possible: how much of what is taken back, and where its value is now."""

    command: ReverseTransfer
    asked: bytes
    subject: Subject
    pocket: Pocket
    amount: int


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was given back: the transfer, how much of it is bonus, and the balance that is told."""

    posting: Posting
    bonus: int
    balance_after: int


class Reversals(msgspec.Struct, frozen=True, kw_only=True):
    """The books as opened for reversals."""

    journal: Journal
    subjects: dict[TransferId, Subject]
    heirs: dict[MemberId, MemberId]
    # Members who became part of another, or came apart, while we waited for their locks.
    moved: set[MemberId]
    # By transfer, the unspent lots in the pockets whose value first came with it.
    descent: dict[TransferId, set[LotId]]
    # By lot that was drawn on, what it was before its owner became one with others.
    earlier: dict[LotId, list[EarlierLot]]

    def check(
        self, command: ReverseTransfer, asked: bytes, *, kinds: Sequence[TransferKind]
    ) -> Undoing:
        """Say what is to be undone.

        Raises TransferNotFound, NotReversible, AlreadyReversed, AmountOutOfRange, AccountNotFound,
        MemberMoved.
        """
        if command.amount is not None:
            check_amount(command.amount, field="amount_fen")
        subject = self.subjects.get(command.transfer_id)
        if subject is None:
            raise TransferNotFound(command.transfer_id)
        before = (one for kept in subject.kept for one in self.earlier.get(kept.lot.id, ()))
        if not self.moved.isdisjoint({subject.member_id, *(one.member_id for one in before)}):
            raise MemberMoved
        heir_id = self.heirs[subject.member_id]
        if command.member_id not in {subject.member_id, heir_id}:
            raise TransferNotFound(command.transfer_id)
        if subject.kind not in kinds:
            raise NotReversible(kind=subject.kind.value)
        pocket = self.journal.pocket(heir_id)
        self.journal.check_store(pocket, command.store_id)
        amount = subject.left if command.amount is None else command.amount
        if subject.left == 0 or amount > subject.left:
            raise AlreadyReversed(left=subject.left)
        return Undoing(command=command, asked=asked, subject=subject, pocket=pocket, amount=amount)

    def lots_of(self, pocket: Pocket, transfer_id: TransferId | None) -> list[Lot]:
        """Return the lots in a pocket whose value first came with a transfer."""
        lot_ids = self.descent.get(transfer_id, set()) if transfer_id else set()
        return [lot for lot in pocket.lots if lot.id in lot_ids]

    def give_back(self, undoing: Undoing, *, kind: TransferKind) -> GivenBack:
        """Give back to the lots it came from.

        What goes back to a member who became part of another goes on to that one; what came to the
        member from another who has come apart again goes on to where it was before.
        """
        subject, command, asked = undoing.subject, undoing.command, undoing.asked
        owner = self.journal.pocket(subject.member_id)
        returns = share_returns(subject.kept, undoing.amount)
        posting = self.journal.move(
            command,
            asked=asked,
            kind=kind,
            source=subject.counterpart_id,
            target=owner,
            returns=returns,
            reverses=Reverses(transfer_id=subject.id, amount=subject.amount),
            store_id=subject.store_id,
        )
        balance_after = self._go_on(undoing, owner, returns)
        subject.reversed += undoing.amount
        subject.kept = less(subject.kept, returns)
        bonus = sum(one.amount for one in returns if one.lot.kind is LotKind.BONUS)
        return GivenBack(posting=posting, bonus=bonus, balance_after=balance_after)

    def _go_on(self, undoing: Undoing, owner: Pocket, returns: Sequence[LotReturn]) -> int:
        """Bring what went back to where it belongs now; return the balance that is told."""
        steps = GoingOn(
            self.journal,
            undoing.command,
            asked=undoing.asked,
            store_id=undoing.subject.store_id,
            told=undoing.pocket,
        )
        by_home: dict[MemberId, list[tuple[LotReturn, Lot]]] = defaultdict(list)
        for one in returns:
            home = self._home_of(one.lot, owner.member_id)
            by_home[home.member_id].append((one, home.lot))
        own = by_home.pop(owner.member_id, [])
        for member_id, going in by_home.items():
            pocket = self.journal.pocket(member_id)
            steps.come_apart(owner, pocket, going)
            heir = self.journal.pocket(self.heirs[member_id])
            steps.become_one(pocket, heir, [LotReturn(lot=h, amount=r.amount) for r, h in going])
        steps.become_one(owner, undoing.pocket, [one for one, _ in own])
        return steps.told.balance

    def _home_of(self, lot: Lot, owner_id: MemberId) -> EarlierLot:
        """Return the lot that a lot was in the pocket of the last who is not one with its owner."""
        home = EarlierLot(MemberId(owner_id), lot)
        for one in self.earlier.get(lot.id, ()):
            came_apart = self.heirs[one.member_id] != self.heirs[home.member_id]
            if came_apart and self.journal.is_open(one.member_id):
                home = one
        return home

    def store_of(self, command: ReverseTransfer) -> StoreId:
        """Return where it happens: the store that was named, or that of the transfer."""
        store_id = command.store_id or self.subjects[command.transfer_id].store_id
        assert store_id is not None
        return store_id

    def pocket_of(self, command: ReverseTransfer) -> Pocket:
        """Return the pocket where the transfer's value is now."""
        subject = self.subjects[command.transfer_id]
        return self.journal.pocket(self.heirs[subject.member_id])


async def open_reversals(
    tx: Tx, commands: Sequence[ReverseTransfer], *, pocket_kind: AccountKind
) -> Reversals:
    """Lock everybody whom these transfers touched and read what is left to take back."""
    subjects = await find_subjects(tx, {command.transfer_id for command in commands})
    earlier = await find_earlier_lots(tx, subjects)
    owners = {subject.member_id for subject in subjects.values()}
    owners |= {one.member_id for lots in earlier.values() for one in lots}
    heirs = await find_heirs(tx, owners)
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=pocket_kind,
        counterpart_kinds=[AccountKind.STORE_SALES],
        with_lots=True,
        more_member_ids={*owners, *heirs.values()},
    )
    # Whoever merges two members holds both their locks.
    heirs_now = await find_heirs(tx, owners)
    await read_state(tx, subjects)
    return Reversals(
        journal=journal,
        subjects=subjects,
        heirs=heirs,
        moved={owner for owner in owners if heirs[owner] != heirs_now[owner]},
        earlier=earlier,
        descent=await find_descent(tx, [p.account_id for p in journal.pockets.values()]),
    )


def reversal_asked(command: ReverseTransfer) -> bytes:
    """Hash what a reversal asks for."""
    return body_hash(
        "reverse_transfer",
        command.member_id,
        command.store_id,
        command.transfer_id,
        command.amount,
        command.reason,
    )
