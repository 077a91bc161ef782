"""Tell those who booked: that the time is near, or that the store called it off. Each once."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.queueing.queries.booking_guests import Guest, list_booking_states, list_guests
from o2o.web.copy import Words
from o2o.wechat.actions.queue_messages import OutgoingMessage, queue_messages, template_message
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.templates import Value

REMINDER = "booking_reminder"
CANCELLED = "booking_cancelled"
# The name under which the messenger asks `are_booking_notices_true` before it sends.
CHECK = "booking_notice"
_TRUE_WHILE = {REMINDER: BookingStatus.BOOKED, CANCELLED: BookingStatus.CANCELLED}


class BookingVoice(msgspec.Struct, frozen=True):
    """What every telling needs: the copy, and where our pages are."""

    words: Words
    public_url: str

    def text(self, key: str, **values: Any) -> str:
        """Return a text of what is told."""
        return self.words.text(f"queueing_bookings.{key}", **values)

    def at(self, guest: Guest) -> str:
        """Return the time of a booking as chat says it."""
        local = guest.local
        return self.text(
            "chat.at",
            year=local.year,
            month=local.month,
            day=local.day,
            time=f"{local:%H:%M}",
        )


async def remind(
    tx: Tx, voice: BookingVoice, booking_ids: Collection[UUID], *, now: datetime
) -> int:
    """Queue the reminders of bookings that are to come; return how many are new."""

    def values(guest: Guest) -> dict[str, Value]:
        return {"party_size": guest.party_size}

    def sentence(guest: Guest) -> str:
        return voice.text(
            "told.sentence_reminder",
            at=voice.at(guest),
            store=guest.store_name,
            party_size=guest.party_size,
            code=guest.code,
        )

    return await _tell(
        tx, voice, booking_ids, purpose=REMINDER, values=values, sentence=sentence, now=now
    )


async def tell_of_cancellations(
    tx: Tx, voice: BookingVoice, booking_ids: Collection[UUID], *, now: datetime
) -> int:
    """Queue the messages that the store called bookings off; return how many are new."""

    def reason(guest: Guest) -> str:
        return guest.reason or voice.text("told.store_reason")

    def values(guest: Guest) -> dict[str, Value]:
        return {"reason": reason(guest)}

    def sentence(guest: Guest) -> str:
        return voice.text(
            "told.sentence_cancelled",
            at=voice.at(guest),
            store=guest.store_name,
            reason=reason(guest),
        )

    return await _tell(
        tx, voice, booking_ids, purpose=CANCELLED, values=values, sentence=sentence, now=now
    )


async def are_booking_notices_true(
    tx: Tx, abouts: Sequence[dict[str, Any]], now: datetime
) -> Sequence[bool]:
    """Tell of each message that waits to be sent whether it is true of its booking still."""
    ids = [UUID(about["booking_id"]) for about in abouts]
    states = await list_booking_states(tx, ids)
    return [
        booking_id in states and _is_true(about, *states[booking_id], now=now)
        for booking_id, about in zip(ids, abouts, strict=True)
    ]


def _is_true(
    about: dict[str, Any], status: BookingStatus, starts_at: datetime, *, now: datetime
) -> bool:
    if status is not _TRUE_WHILE[about["purpose"]]:
        return False
    is_same_time = starts_at == datetime.fromisoformat(about["starts_at"])
    return about["purpose"] == CANCELLED or (is_same_time and starts_at > now)


async def _tell(
    tx: Tx,
    voice: BookingVoice,
    booking_ids: Collection[UUID],
    *,
    purpose: str,
    values: Callable[[Guest], dict[str, Value]],
    sentence: Callable[[Guest], str],
    now: datetime,
) -> int:
    if not booking_ids:
        return 0
    messages = [
        _message(voice, purpose, guest, values=values(guest), sentence=sentence(guest))
        for guest in await list_guests(tx, booking_ids)
        if guest.status is _TRUE_WHILE[purpose]
    ]
    return len(await queue_messages(tx, messages, now=now))


def _message(
    voice: BookingVoice,
    purpose: str,
    guest: Guest,
    *,
    values: dict[str, Value],
    sentence: str,
) -> OutgoingMessage:
    page = f"/h5/{guest.account_slug}/bookings/{guest.booking_id}"
    return template_message(
        account_id=guest.account_id,
        openid=guest.openid,
        purpose=purpose,
        values={
            "store": guest.store_name,
            "at": guest.local,
            "code": guest.code,
            **values,
        },
        url=page,
        # A booking that was moved is another reason to be reminded.
        client_msg_id=f"{purpose}:{guest.booking_id}:{int(guest.starts_at.timestamp())}",
        about={
            "check": CHECK,
            "purpose": purpose,
            "booking_id": str(guest.booking_id),
            "starts_at": guest.starts_at.isoformat(),
        },
        otherwise=TextReply(f"{sentence}\n{voice.public_url}{page}"),
    )
