"""Cancel bookings: by the person, by the store (which is told), and the places are free again."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.queueing.actions.hold_places import free_places
from o2o.queueing.actions.record_booking_moves import (
    BookingStep,
    other_intentions,
    record_booking_moves,
)
from o2o.queueing.booking_commands import Booked, ChangeBooking
from o2o.queueing.errors_bookings import BookingEnded, BookingNotFound
from o2o.queueing.events_bookings import BookingCancelled
from o2o.queueing.moves_bookings import BOOKING_MOVES
from o2o.queueing.queries.bookings import KnownBooking, lock_bookings

REASON_CHARS_MAX = 60

_CANCEL = text(
    "UPDATE bookings b SET status = 'cancelled', ended_at = m.at, is_by_store = m.by_store,"
    " reason = m.reason FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]),"
    " CAST(:by_stores AS boolean[]), CAST(:reasons AS text[])) AS m(id, at, by_store, reason)"
    " WHERE b.id = m.id AND b.status = ANY(CAST(:sources AS text[]))"
)


def check_reach(booking: KnownBooking | None, command: ChangeBooking) -> KnownBooking:
    """Return the booking if it is for the one who asks. Raises BookingNotFound."""
    if (
        booking is None
        or command.brand_id not in {None, booking.brand_id}
        or command.store_id not in {None, booking.store_id}
        or (
            command.is_by_guest
            and not booking.is_of(fan_id=command.fan_id, member_id=command.member_id)
        )
    ):
        raise BookingNotFound
    return booking


async def cancel_bookings(tx: Tx, commands: Sequence[ChangeBooking]) -> list[Booked | Fact]:
    """Answer each in order; what is cancelled already stays so and is answered the same.

    Facts: BookingNotFound, BookingEnded (also of who is here: then the number is given back),
    RequestBodyDiffers.
    Publishes `booking.cancelled`.
    """
    locked = await lock_bookings(tx, [command.booking_id for command in commands])
    others = await other_intentions(tx, commands, move="cancelled")
    results: list[Booked | Fact] = []
    cancelled: dict[UUID, tuple[ChangeBooking, KnownBooking]] = {}
    for command in commands:
        if command.request_id in others:
            results.append(others[command.request_id])
            continue
        try:
            booking = check_reach(locked.get(command.booking_id), command)
            is_over = booking.status is BookingStatus.CANCELLED or booking.booking_id in cancelled
            if booking.status is not BookingStatus.BOOKED and not is_over:
                raise BookingEnded(status=booking.status.value)
        except Fact as fact:
            results.append(fact)
            continue
        if not is_over:
            cancelled[booking.booking_id] = (command, booking)
        results.append(_as_cancelled(booking, is_replay=is_over))
    await _cancel(tx, list(cancelled.values()))
    return results


async def _cancel(tx: Tx, found: Sequence[tuple[ChangeBooking, KnownBooking]]) -> None:
    if not found:
        return
    BOOKING_MOVES.check(BookingStatus.BOOKED, BookingStatus.CANCELLED)
    await tx.execute(
        _CANCEL,
        {
            "ids": [booking.booking_id for _, booking in found],
            "ats": [command.now for command, _ in found],
            "by_stores": [not command.is_by_guest for command, _ in found],
            "reasons": [_reason(command) for command, _ in found],
            "sources": [BookingStatus.BOOKED.value],
        },
    )
    await free_places(tx, [booking.slot_id for _, booking in found])
    await record_booking_moves(tx, [_step(*one) for one in found])
    await publish(tx, *(_event(*one) for one in found), now=found[0][0].now)
    for command, booking in found:
        await _note(tx, command, booking)


async def _note(tx: Tx, command: ChangeBooking, booking: KnownBooking) -> None:
    """What the store does to somebody's booking is in the trail; what people do is in moves."""
    if command.staff_id is None and command.api_key_id is None:
        return
    actor = (
        Actor("staff", command.staff_id)
        if command.staff_id is not None
        else Actor("api_key", command.api_key_id)
    )
    await note(
        tx,
        actor=actor,
        action="booking.cancelled",
        at=command.now,
        subject=("booking", booking.booking_id),
        store_id=booking.store_id,
        reason=_reason(command),
    )


def _reason(command: ChangeBooking) -> str | None:
    return command.reason[:REASON_CHARS_MAX] if command.reason else None


def _as_cancelled(booking: KnownBooking, *, is_replay: bool) -> Booked:
    answer = booking.as_booked(is_replay=is_replay)
    return Booked(
        booking_id=answer.booking_id,
        code=answer.code,
        status=BookingStatus.CANCELLED,
        store_id=answer.store_id,
        store_name=answer.store_name,
        timezone=answer.timezone,
        queue_id=answer.queue_id,
        starts_at=answer.starts_at,
        party_size=answer.party_size,
        is_replay=is_replay,
    )


def _step(command: ChangeBooking, booking: KnownBooking) -> BookingStep:
    return BookingStep(
        booking_id=booking.booking_id,
        move="cancelled",
        from_status=booking.status,
        to_status=BookingStatus.CANCELLED,
        starts_at=booking.starts_at,
        request_id=command.request_id,
        staff_id=command.staff_id,
        pad_id=command.pad_id,
        api_key_id=command.api_key_id,
        reason=_reason(command),
        at=command.now,
    )


def _event(command: ChangeBooking, booking: KnownBooking) -> BookingCancelled:
    return BookingCancelled(
        booking_id=booking.booking_id,
        store_id=booking.store_id,
        member_id=booking.member_id,
        is_by_store=not command.is_by_guest,
    )
