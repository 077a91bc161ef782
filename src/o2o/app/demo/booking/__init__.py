"""How the demo's stores are booked: `booking.toml`, read."""

import tomllib
from datetime import time
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]


class Slots(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Slots of a line on every day of the week."""

    line: str
    starts: time
    ends: time
    slot_minutes: Positive
    capacity: Positive


class FullSlot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time whose places are all taken, so that the demo shows what happens then."""

    store: str
    line: str
    days_ahead: Annotated[int, Meta(ge=1, le=5)]
    at: time


class BrandBooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the stores of a brand are booked."""

    brand: str
    party_size_usual: Positive
    slots: tuple[Slots, ...]
    full: tuple[FullSlot, ...] = ()


class Booking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All brands that take bookings."""

    booking: tuple[BrandBooking, ...]


def load_booking() -> Booking:
    """Read the file. Raises msgspec.ValidationError and tomllib.TOMLDecodeError."""
    written = files("o2o.app.demo.booking").joinpath("booking.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(written), Booking)
