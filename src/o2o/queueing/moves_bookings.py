"""The legal moves of a booking."""

from o2o.crm.statuses_bookings import BookingStatus as S
from o2o.kernel.moves import Moves

BOOKING_MOVES = Moves(
    {
        S.BOOKED: {S.ARRIVED, S.CANCELLED, S.NO_SHOW},
        S.ARRIVED: {S.SERVED, S.CANCELLED},
    },
    final={S.SERVED, S.CANCELLED, S.NO_SHOW},
)
