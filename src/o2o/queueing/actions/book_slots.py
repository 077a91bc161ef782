"""Book slots: somebody is promised to be served at a time, and never more than there are places.

Set-based, for the coalescer and the chat; refusals come back as data, in the order of commands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.infra.locks import lock_number
from o2o.kernel.errors import Fact
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.counter import list_member_facts
from o2o.queueing.actions.hold_places import LockedSlot, lock_slots, take_places
from o2o.queueing.actions.write_bookings import NewBooking, write_bookings
from o2o.queueing.booking_commands import Booked, BookSlot
from o2o.queueing.errors_bookings import (
    BookedAlready,
    BookingsNotTaken,
    PartySizeNotBookable,
    SlotFull,
    SlotNotThere,
    SlotPast,
    SlotTooFar,
    TooManyBookings,
)
from o2o.queueing.queries.booking_plans import list_nearest_free, list_plans
from o2o.queueing.queries.bookings import KnownBooking, list_by_request, list_live_of
from o2o.queueing.rules.booking_plan import (
    DAYS_AHEAD_MAX,
    Plan,
    PlannedSlot,
    SlotKey,
    When,
    when_is,
)

# Ordered before they are locked: whoever locks several does so in one order for everybody.
_LOCK_NAMES = text(
    "SELECT pg_advisory_xact_lock(number) FROM (SELECT number"
    " FROM unnest(CAST(:numbers AS bigint[])) AS m(number) ORDER BY number) o"
)


class Wanted(msgspec.Struct, kw_only=True):
    """One command on its way: which slots would do, and what became of it."""

    command: BookSlot
    asked: bytes
    plan: Plan | None = None
    party_size: int = 0
    slots: Sequence[PlannedSlot] = ()
    taken: LockedSlot | None = None
    result: Booked | Fact | None = None


async def book_slots(tx: Tx, commands: Sequence[BookSlot]) -> list[Booked | Fact]:
    """Answer each wish in order. Sent again, or asked again by the same person for the same time,
    it is answered with the booking that is there.

    Facts: BookingsNotTaken, SlotPast, SlotTooFar, SlotNotThere, SlotFull, PartySizeNotBookable,
    TooManyBookings, BookedAlready, MemberNotFound, RequestBodyDiffers. Publishes `booking.made`.
    """
    results: dict[int, Booked | Fact] = {}
    numbers = {number for command in commands for number in _names(command)}
    await lock_names_of_bookings(tx, numbers)
    for wave in _waves(commands):
        given = await _book_wave(tx, [commands[index] for index in wave])
        results |= zip(wave, given, strict=True)
    return [results[index] for index in range(len(commands))]


async def lock_names_of_bookings(tx: Tx, numbers: Iterable[int]) -> None:
    """Let nobody else book for these people, or by these requests, until this is over."""
    await tx.execute(_LOCK_NAMES, {"numbers": sorted(set(numbers))})


def person_numbers(*, fan_id: UUID | None, member_id: UUID | None) -> list[int]:
    """Return under which numbers a person is locked."""
    people = (("fan", fan_id), ("member", member_id))
    return [lock_number(f"booking:{kind}:{value}") for kind, value in people if value is not None]


def _names(command: BookSlot) -> list[int]:
    return [
        lock_number(f"booking:request:{command.request_id}"),
        *person_numbers(fan_id=command.fan_id, member_id=command.member_id),
    ]


def _waves(commands: Sequence[BookSlot]) -> list[list[int]]:
    """Return indexes in rounds, so that no round holds two of one person or one request."""
    waves: list[list[int]] = []
    turns: dict[int, int] = {}
    for index, command in enumerate(commands):
        names = _names(command)
        turn = max(turns.get(name, 0) for name in names)
        turns |= dict.fromkeys(names, turn + 1)
        if turn == len(waves):
            waves.append([])
        waves[turn].append(index)
    return waves


async def _book_wave(tx: Tx, commands: Sequence[BookSlot]) -> list[Booked | Fact]:
    wanted = [Wanted(command=command, asked=_asked(command)) for command in commands]
    await _answer_repeated(tx, wanted)
    await _plan(tx, _open(wanted))
    await _check_members(tx, _open(wanted))
    await _answer_booked(tx, _open(wanted))
    await _grant(tx, _open(wanted))
    return [one.result for one in wanted if one.result is not None]


def _open(wanted: Iterable[Wanted]) -> list[Wanted]:
    return [one for one in wanted if one.result is None]


def _asked(command: BookSlot) -> bytes:
    return body_hash(
        "booking.made",
        command.store_id,
        int(command.starts_at.timestamp()),
        command.party_size,
        command.queue_id,
        command.member_id,
        command.fan_id,
    )


async def _answer_repeated(tx: Tx, wanted: Sequence[Wanted]) -> None:
    """Answer what was asked before under the same request id."""
    earlier = await list_by_request(tx, [one.command.request_id for one in wanted])
    for one in wanted:
        known = earlier.get(one.command.request_id)
        if known is None:
            continue
        if known.body_hash == one.asked:
            one.result = known.as_booked(is_replay=True)
        else:
            one.result = RequestBodyDiffers(request_id=str(one.command.request_id))


async def _plan(tx: Tx, wanted: Sequence[Wanted]) -> None:
    """Find the slots that would do for each, by the plan that stays until the commit."""
    if not wanted:
        return
    store_ids = [one.command.store_id for one in wanted]
    plans = await list_plans(tx, store_ids, now=wanted[0].command.now, is_shared=True)
    for one in wanted:
        command, plan = one.command, plans.get(one.command.store_id)
        if plan is None or not plan.is_taking or command.brand_id not in {None, plan.brand_id}:
            one.result = BookingsNotTaken()
            continue
        one.plan = plan
        one.party_size = plan.party_size_usual if command.party_size is None else command.party_size
        try:
            one.slots = await fitting_slots(
                tx,
                plan,
                command.starts_at,
                party_size=one.party_size,
                queue_id=command.queue_id,
                now=command.now,
            )
        except Fact as fact:
            one.result = fact


async def _check_members(tx: Tx, wanted: Sequence[Wanted]) -> None:
    """Refuse for members who are not there, or not of the store's brand."""
    asked = {one.command.member_id for one in wanted if one.command.member_id is not None}
    if not asked:
        return
    # Held: who became another member meanwhile would have a booking that nobody finds.
    members = await list_member_facts(tx, asked, is_held=True)
    for one in wanted:
        member_id = one.command.member_id
        if member_id is None or one.plan is None:
            continue
        member = members.get(member_id)
        if member is None or member.brand_id != one.plan.brand_id:
            one.result = MemberNotFound(member_id=member_id)


async def fitting_slots(
    tx: Tx,
    plan: Plan,
    starts_at: datetime,
    *,
    party_size: int,
    queue_id: UUID | None,
    now: datetime,
) -> list[PlannedSlot]:
    """Return the planned slots of a time that take the party, the tightest first.

    Raises SlotPast, SlotTooFar, BookingsNotTaken, PartySizeNotBookable, SlotNotThere.
    """
    when = when_is(starts_at, now=now, zone=plan.zone)
    if when is When.PAST:
        raise SlotPast
    if when is When.TOO_FAR:
        raise SlotTooFar(days_ahead_max=DAYS_AHEAD_MAX)
    rules = [rule for rule in plan.rules if queue_id in {None, rule.queue_id}]
    if not rules:
        raise BookingsNotTaken
    if not any(rule.party_size_min <= party_size <= rule.party_size_max for rule in rules):
        raise PartySizeNotBookable(
            least=min(rule.party_size_min for rule in rules),
            most=max(rule.party_size_max for rule in rules),
        )
    slots = [
        slot
        for slot in plan.slots_of_day(plan.day_of(starts_at))
        if slot.starts_at == starts_at
        and slot.fits(party_size)
        and queue_id in {None, slot.queue_id}
    ]
    if not slots:
        near = await list_nearest_free(
            tx, plan, starts_at, now=now, party_size=party_size, queue_id=queue_id
        )
        raise SlotNotThere(starts_at=starts_at, nearest=near)
    return slots


async def _answer_booked(tx: Tx, wanted: Sequence[Wanted]) -> None:
    """Answer who has a booking of that time, or as many bookings as one may have."""
    live = await list_live_of(
        tx,
        fan_ids=[one.command.fan_id for one in wanted if one.command.fan_id],
        member_ids=[one.command.member_id for one in wanted if one.command.member_id],
    )
    for one in wanted:
        own = [
            booking
            for booking in live
            if booking.store_id == one.command.store_id
            and booking.is_of(fan_id=one.command.fan_id, member_id=one.command.member_id)
        ]
        one.result = _answer_of_own(one, own)


def _answer_of_own(one: Wanted, own: Sequence[KnownBooking]) -> Booked | Fact | None:
    assert one.plan is not None
    for booking in own:
        if booking.starts_at == one.command.starts_at:
            if one.command.party_size in {None, booking.party_size}:
                return booking.as_booked(is_replay=True)
            return BookedAlready(booking_id=booking.booking_id, booking_code=booking.code)
    if len(own) >= one.plan.live_max:
        return TooManyBookings(live_max=one.plan.live_max)
    return None


async def _grant(tx: Tx, wanted: Sequence[Wanted]) -> None:
    """Give places in the order of commands, as long as there are any, and write them down."""
    locked = await lock_slots(
        tx, [(one.command.store_id, slot) for one in wanted for slot in one.slots]
    )
    for one in wanted:
        one.taken = take_one(locked, one.slots)
    await take_places(tx, locked.values())
    written = await write_bookings(tx, [_row(one) for one in wanted if one.taken])
    for one in wanted:
        one.result = written[one.command.request_id] if one.taken else await _full(tx, one)


def take_one(
    locked: Mapping[SlotKey, LockedSlot], slots: Sequence[PlannedSlot]
) -> LockedSlot | None:
    """Take a place of the first of these slots that has one."""
    for slot in slots:
        found = locked[slot.key]
        if found.has_place:
            found.taken += 1
            return found
    return None


async def _full(tx: Tx, one: Wanted) -> SlotFull:
    assert one.plan is not None
    command = one.command
    near = await list_nearest_free(
        tx,
        one.plan,
        command.starts_at,
        now=command.now,
        party_size=one.party_size,
        queue_id=command.queue_id,
    )
    return SlotFull(starts_at=command.starts_at, nearest=near)


def _row(one: Wanted) -> NewBooking:
    assert one.plan is not None
    assert one.taken is not None
    return NewBooking(
        command=one.command,
        body_hash=one.asked,
        plan=one.plan,
        slot=one.taken,
        party_size=one.party_size,
    )
