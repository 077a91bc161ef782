"""The booking desk of one process: bookings, cancellations and arrivals, committed in batches.

The way in for pages and the API; the chat calls the actions within its own transaction.
"""

from o2o.infra.coalescer import Coalescer
from o2o.infra.database import SessionFactory, transaction
from o2o.queueing.actions.arrive_bookings import arrive_bookings
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.reschedule_booking import reschedule_booking
from o2o.queueing.booking_commands import Arrived, Booked, BookSlot, ChangeBooking, NewTime


class Bookings:
    """Commands of bookings; each raises the facts of its action."""

    def __init__(self, *, sessions: SessionFactory) -> None:
        """Start the queues; they run only when something is in them."""
        self._sessions = sessions
        self._booked: Coalescer[BookSlot, Booked] = Coalescer(book_slots, sessions=sessions)
        self._cancelled: Coalescer[ChangeBooking, Booked] = Coalescer(
            cancel_bookings, sessions=sessions
        )
        self._arrived: Coalescer[ChangeBooking, Arrived] = Coalescer(
            arrive_bookings, sessions=sessions
        )

    async def book(self, command: BookSlot) -> Booked:
        """Book a slot; return after the commit."""
        return await self._booked.submit(command)

    async def cancel(self, command: ChangeBooking) -> Booked:
        """Cancel a booking; return after the commit."""
        return await self._cancelled.submit(command)

    async def arrive(self, command: ChangeBooking) -> Arrived:
        """Check somebody in; return after the commit."""
        return await self._arrived.submit(command)

    async def reschedule(self, command: ChangeBooking, new: NewTime) -> Booked:
        """Move a booking to another time; return after the commit."""
        async with transaction(self._sessions) as tx:
            return await reschedule_booking(tx, command, new)

    async def drain(self) -> None:
        """Wait until everything submitted so far is answered (for a clean shutdown)."""
        for queue in (self._booked, self._cancelled, self._arrived):
            await queue.drain()
