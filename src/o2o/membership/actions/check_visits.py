"""Check for a batch of money movements that each may happen: member, store, clerk and visit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from o2o.crm.statuses import StaffRoleName, VisitVia
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.actions.open_visits import OpenVisit, open_visits
from o2o.membership.errors import (
    MemberNotFound,
    UnlikelyTravel,
    VisitExpired,
    VisitNeeded,
    VisitNotYours,
)
from o2o.membership.errors_identity import MemberMergedAway
from o2o.membership.queries import counter
from o2o.membership.queries.counter import MemberFacts, StoreFacts, VisitFacts
from o2o.membership.scanners import AtPad, Scanner
from o2o.staff.queries import list_covered
from o2o.stores.errors import StoreNotFound, StoreNotOfBrand
from o2o.web.errors import RoleMissing

# Whose hands money goes through at the counter.
MONEY_ROLES = frozenset({StaffRoleName.CLERK, StaffRoleName.MANAGER})


class Movement(Protocol):
    """What every command on a member's money at the counter says."""

    @property
    def request_id(self) -> UUID: ...
    @property
    def member_id(self) -> UUID: ...
    @property
    def visit_id(self) -> UUID | None: ...
    @property
    def code_hash(self) -> bytes | None: ...
    @property
    def by(self) -> Scanner: ...
    @property
    def now(self) -> datetime: ...


class Charge(Movement, Protocol):
    """What a command that takes money from a card says besides."""

    @property
    def amount_fen(self) -> int: ...


class Cleared(msgspec.Struct):
    """One command with what was found out; movable when `refusal` is None."""

    member: MemberFacts | None = None
    store: StoreFacts | None = None
    visit_id: UUID | None = None
    # By what the visit was opened, and when it ends.
    via: VisitVia = VisitVia.CODE
    expires_at: datetime | None = None
    refusal: Fact | None = None
    # The books know the intention: they answer it, whatever became of its visit.
    is_known: bool = False
    # The visit was opened here, by the member code that came with the command.
    is_just_opened: bool = False


async def check_visits(
    tx: Tx,
    commands: Sequence[Movement],
    *,
    locks_visitors: bool = False,
    holds_members: bool = False,
) -> list[Cleared]:
    """Clear each command in order; a member code that comes along is spent on a new visit.

    With `locks_visitors` the members of visits are locked too: what a member spent in a day is then
    decided by one transaction at a time. With `holds_members` nobody becomes one with another
    member meanwhile: money that comes in would stay behind.

    Facts: MemberNotFound, MemberMergedAway, StoreNotFound, StoreNotOfBrand, RoleMissing,
    VisitNeeded (pads only; a key without a visit is for the caller to judge), VisitNotYours,
    VisitExpired, UnlikelyTravel, and those of open_visits.
    """
    cleared = [Cleared() for _ in commands]
    await _check_places(tx, commands, cleared, holds_members=holds_members)
    # Before the codes are spent and before the books are asked: a request that is sent twice at
    # once waits here for the first, and then finds it in the books instead of a spent code.
    with_code = [c for c in _still(commands, cleared) if c[0].code_hash is not None]
    pads = {c.by.pad_id for c, _ in with_code if isinstance(c.by, AtPad)}
    await counter.lock_pads(tx, pads)
    visitors = {
        command.member_id
        for command, _ in _still(commands, cleared)
        if command.code_hash is not None or (locks_visitors and command.visit_id is not None)
    }
    await counter.lock_members(tx, visitors)
    known = await counter.list_done_requests(tx, {command.request_id for command in commands})
    for command, clear in zip(commands, cleared, strict=True):
        # What was done on a member before it became another is answered, lest it be done again.
        if clear.refusal is None or isinstance(clear.refusal, MemberMergedAway):
            clear.is_known = command.request_id in known
            clear.refusal = None if clear.is_known else clear.refusal
    await _check_open_visits(tx, commands, cleared)
    await _open_by_code(tx, commands, cleared)
    return cleared


def _still(
    commands: Sequence[Movement], cleared: Sequence[Cleared]
) -> list[tuple[Movement, Cleared]]:
    pairs = zip(commands, cleared, strict=True)
    return [(c, clear) for c, clear in pairs if clear.refusal is None and not clear.is_known]


async def _check_places(
    tx: Tx, commands: Sequence[Movement], cleared: Sequence[Cleared], *, holds_members: bool
) -> None:
    asked = {c.member_id for c in commands}
    members = await counter.list_member_facts(tx, asked, is_held=holds_members)
    missing = await counter.list_merged_facts(tx, asked - set(members))
    stores = await counter.list_store_facts(tx, {c.by.store_id for c in commands})
    clerks = [(c.by.staff_id, c.by.store_id) for c in commands if isinstance(c.by, AtPad)]
    covered = await list_covered(tx, sorted(set(clerks)), roles=MONEY_ROLES)
    for command, clear in zip(commands, cleared, strict=True):
        clear.member = members.get(command.member_id)
        clear.store = stores.get(command.by.store_id)
        clear.refusal = _place_refusal(command, clear.member, clear.store)
        if clear.member is None and command.member_id in missing:
            clear.member = missing[command.member_id]
            clear.refusal = _merged_refusal(command, clear.member)
        by = command.by
        is_clerk = isinstance(by, AtPad) and (by.staff_id, by.store_id) not in covered
        if clear.refusal is None and is_clerk:
            clear.refusal = RoleMissing()


def _merged_refusal(command: Movement, survivor: MemberFacts) -> Fact:
    scope = command.by.brand_id
    if scope is not None and survivor.brand_id != scope:
        return MemberNotFound(member_id=command.member_id)
    return MemberMergedAway(member_id=command.member_id, survivor_id=survivor.member_id)


def _place_refusal(
    command: Movement, member: MemberFacts | None, store: StoreFacts | None
) -> Fact | None:
    scope = command.by.brand_id
    if member is None or (scope is not None and member.brand_id != scope):
        return MemberNotFound(member_id=command.member_id)
    if store is None:
        return StoreNotFound(store_id=command.by.store_id)
    if store.brand_id != member.brand_id:
        return StoreNotOfBrand(store_id=command.by.store_id)
    return None


async def _check_open_visits(
    tx: Tx, commands: Sequence[Movement], cleared: Sequence[Cleared]
) -> None:
    still = _still(commands, cleared)
    visits = await counter.list_visits(tx, {c.visit_id for c, _ in still if c.visit_id})
    stores = await counter.list_store_facts(
        tx, {visit.store_id for visit in visits.values() if visit.is_held}
    )
    for command, clear in still:
        if command.visit_id is not None:
            visit = visits.get(command.visit_id)
            clear.visit_id = command.visit_id
            clear.refusal = visit_refusal(command, visit)
            if visit is not None:
                clear.via, clear.expires_at = visit.via, visit.expires_at
            if clear.refusal is None and visit is not None and visit.is_held:
                name = stores[visit.store_id].name
                clear.refusal = UnlikelyTravel(visit_id=visit.visit_id, store_name=name)
        elif command.code_hash is None and isinstance(command.by, AtPad):
            clear.refusal = VisitNeeded()


def visit_refusal(command: Movement, visit: VisitFacts | None) -> Fact | None:
    """Say why a visit is not one in which this command may move money, or None.

    A system beside the pad (a till) may charge inside the pad's visit of its own store; a pad only
    inside its own.
    """
    by = command.by
    if visit is None or visit.member_id != command.member_id or visit.store_id != by.store_id:
        return VisitNotYours()
    if isinstance(by, AtPad):
        is_own = visit.pad_id == by.pad_id
    else:
        is_own = visit.pad_id is not None or visit.api_key_id == by.key_id
    if not is_own:
        return VisitNotYours()
    if visit.closed_at is not None or visit.expires_at <= command.now:
        return VisitExpired()
    return None


async def _open_by_code(tx: Tx, commands: Sequence[Movement], cleared: Sequence[Cleared]) -> None:
    first: dict[UUID, tuple[Movement, Cleared, bytes]] = {}
    same: list[tuple[Movement, Cleared]] = []
    for command, clear in _still(commands, cleared):
        if command.visit_id is not None or command.code_hash is None:
            continue
        if command.request_id in first:
            same.append((command, clear))
        else:
            first[command.request_id] = (command, clear, command.code_hash)
    if not first:
        return
    asked = [
        OpenVisit(code_hash=code_hash, by=c.by, now=c.now, member_id=c.member_id)
        for c, _, code_hash in first.values()
    ]
    opened = await open_visits(tx, asked)
    for (_, clear, _), outcome in zip(first.values(), opened, strict=True):
        if isinstance(outcome, Fact):
            clear.refusal = outcome
        else:
            clear.visit_id, clear.is_just_opened = outcome.visit_id, True
            clear.expires_at = outcome.expires_at
    # The same intention twice in one batch shares the visit; the books then answer the second.
    for command, clear in same:
        _, earlier, _ = first[command.request_id]
        clear.visit_id, clear.refusal = earlier.visit_id, earlier.refusal
        clear.expires_at = earlier.expires_at
