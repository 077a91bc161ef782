"""Statuses of bookings, beside the others for the length of the file."""

from enum import StrEnum


class BookingStatus(StrEnum):
    """How a booking stands."""

    BOOKED = "booked"
    # Checked in: goes on as a ticket.
    ARRIVED = "arrived"
    SERVED = "served"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class BookingSource(StrEnum):
    """Where a booking was made."""

    PAGE = "page"
    CHAT = "chat"
    API = "api"
    CONSOLE = "console"
