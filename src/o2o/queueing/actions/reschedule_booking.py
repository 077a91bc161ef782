"""Reschedule a booking: the same code for another time; the old place is free again."""

from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.outbox import publish
from o2o.queueing.actions.book_slots import (
    fitting_slots,
    lock_names_of_bookings,
    person_numbers,
    take_one,
)
from o2o.queueing.actions.cancel_bookings import check_reach
from o2o.queueing.actions.hold_places import LockedSlot, free_places, lock_slots, take_places
from o2o.queueing.actions.record_booking_moves import (
    BookingStep,
    find_intention,
    intention_hash,
    record_booking_moves,
)
from o2o.queueing.actions.write_bookings import reminded_at
from o2o.queueing.booking_commands import Booked, ChangeBooking, NewTime
from o2o.queueing.errors_bookings import (
    BookedAlready,
    BookingEnded,
    BookingsNotTaken,
    SlotFull,
)
from o2o.queueing.events_bookings import BookingMade
from o2o.queueing.queries.booking_plans import list_nearest_free, list_plans
from o2o.queueing.queries.bookings import (
    KnownBooking,
    get_booking,
    list_live_of,
    lock_bookings,
)
from o2o.queueing.rules.booking_plan import Plan, PlannedSlot, SlotKey

_MOVE = text(
    "UPDATE bookings SET slot_id = :slot_id, queue_id = :queue_id, starts_at = :starts_at,"
    " party_size = :party_size, reminded_at = :reminded_at"
    " WHERE id = :booking_id AND status = 'booked'"
)


async def reschedule_booking(tx: Tx, command: ChangeBooking, new: NewTime) -> Booked:
    """Move a booking to another slot of its store; to where it is already, nothing happens.

    Sent again, however late, it is answered with the booking as it stands and moves nothing.
    Raises BookingNotFound, BookingEnded, BookedAlready, SlotFull, RequestBodyDiffers, and those of
    fitting_slots; then the booking is as it was. Publishes `booking.made`.
    """
    seen = check_reach(await get_booking(tx, command.booking_id), command)
    # In the order in which everybody locks: people, plan, bookings, slots.
    await lock_names_of_bookings(tx, person_numbers(fan_id=seen.fan_id, member_id=seen.member_id))
    plans = await list_plans(tx, [seen.store_id], now=command.now, is_shared=True)
    booking = (await lock_bookings(tx, [command.booking_id]))[command.booking_id]
    made = await find_intention(tx, command.request_id)
    if made is not None:
        if made != intention_hash("rescheduled", booking.booking_id, *_wanted(new)):
            raise RequestBodyDiffers(request_id=str(command.request_id))
        return booking.as_booked(is_replay=True)
    if booking.status is not BookingStatus.BOOKED:
        raise BookingEnded(status=booking.status.value)
    plan = plans.get(booking.store_id)
    if plan is None or not plan.is_taking:
        raise BookingsNotTaken
    party_size = booking.party_size if new.party_size is None else new.party_size
    slots = await fitting_slots(
        tx, plan, new.starts_at, party_size=party_size, queue_id=new.queue_id, now=command.now
    )
    if _is_there(booking, slots, party_size=party_size):
        return booking.as_booked(is_replay=True)
    await _check_only_one(tx, booking, new)
    taken = await _take(tx, booking, slots)
    if taken is None:
        near = await list_nearest_free(
            tx,
            plan,
            new.starts_at,
            now=command.now,
            party_size=party_size,
            queue_id=new.queue_id,
        )
        raise SlotFull(starts_at=new.starts_at, nearest=near)
    await _move(tx, command, booking, new=new, taken=taken, plan=plan, party_size=party_size)
    return (await get_booking(tx, booking.booking_id)).as_booked(is_replay=False)


def _wanted(new: NewTime) -> tuple[object, ...]:
    return int(new.starts_at.timestamp()), new.party_size, new.queue_id


def _is_there(booking: KnownBooking, slots: list[PlannedSlot], *, party_size: int) -> bool:
    return booking.party_size == party_size and _key_of(booking) in {slot.key for slot in slots}


def _key_of(booking: KnownBooking) -> SlotKey:
    return SlotKey(booking.queue_id, booking.starts_at, booking.slot_party_size_min)


async def _check_only_one(tx: Tx, booking: KnownBooking, new: NewTime) -> None:
    """Raise BookedAlready when the person has another booking of that time."""
    own = await list_live_of(
        tx,
        fan_ids=[booking.fan_id] if booking.fan_id else [],
        member_ids=[booking.member_id] if booking.member_id else [],
    )
    for other in own:
        is_same_time = other.store_id == booking.store_id and other.starts_at == new.starts_at
        if is_same_time and other.booking_id != booking.booking_id:
            raise BookedAlready(booking_id=other.booking_id, booking_code=other.code)


async def _take(tx: Tx, booking: KnownBooking, slots: list[PlannedSlot]) -> LockedSlot | None:
    """Take a place of the new slot and give back the old one, both locked in one go."""
    own = _key_of(booking)
    locked = await lock_slots(tx, [(booking.store_id, slot) for slot in slots], beside=[own])
    # Another party size in the own slot keeps the place it has.
    stays = locked.get(own)
    if stays is not None:
        return stays
    taken = take_one(locked, slots)
    if taken is None:
        return None
    await take_places(tx, locked.values())
    await free_places(tx, [booking.slot_id])
    return taken


async def _move(
    tx: Tx,
    command: ChangeBooking,
    booking: KnownBooking,
    *,
    new: NewTime,
    taken: LockedSlot,
    plan: Plan,
    party_size: int,
) -> None:
    starts_at = taken.planned.starts_at
    await tx.execute(
        _MOVE,
        {
            "booking_id": booking.booking_id,
            "slot_id": taken.slot_id,
            "queue_id": taken.planned.queue_id,
            "starts_at": starts_at,
            "party_size": party_size,
            "reminded_at": reminded_at(plan, starts_at, now=command.now),
        },
    )
    step = BookingStep(
        booking_id=booking.booking_id,
        move="rescheduled",
        from_status=BookingStatus.BOOKED,
        to_status=BookingStatus.BOOKED,
        starts_at=starts_at,
        request_id=command.request_id,
        wanted=_wanted(new),
        staff_id=command.staff_id,
        pad_id=command.pad_id,
        api_key_id=command.api_key_id,
        at=command.now,
    )
    await record_booking_moves(tx, [step])
    event = BookingMade(
        booking_id=booking.booking_id,
        store_id=booking.store_id,
        member_id=booking.member_id,
        starts_at=starts_at,
        party_size=party_size,
        is_rescheduled=True,
    )
    await publish(tx, event, now=command.now)
