"""What follows when members' wishes about money and data are settled: whom to tell of what."""

from datetime import datetime

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.seal import Seal
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.kernel.text import mask_name
from o2o.membership.actions.keep_export import expire_exports
from o2o.membership.actions.request_export import BUILD
from o2o.membership.actions.withdraw_pass_on import return_due_offers
from o2o.membership.copies import CopyMaker
from o2o.membership.events import PassOnOffered, PassOnSettled, RefundDecided
from o2o.membership.queries.pass_on import find_offer
from o2o.notifications.actions.tell_member import (
    PASSED_ON,
    REFUNDED,
    SERVICE_DONE,
    ZONE,
    tell_member,
)
from o2o.web.copy import Words
from o2o.wechat.templates import Value

RETURN_EVERY_SECONDS = 30
EXPIRE_EVERY_SECONDS = 600


def register(
    registry: Registry, *, sessions: SessionFactory, seal: Seal, clock: Clock, words: Words
) -> None:
    """Listen, perform what was asked for, and put what ends by itself on the timetable."""
    copies = CopyMaker(sessions=sessions, seal=seal, clock=clock, words=words)
    registry.perform(BUILD, copies.build_export)
    jobs = PrivacyJobs(clock=clock, words=words)
    registry.subscribe(RefundDecided, jobs.tell_of_refund)
    registry.subscribe(PassOnOffered, jobs.tell_of_offer)
    registry.subscribe(PassOnSettled, jobs.tell_of_settlement)
    registry.schedule(
        "membership.return_offers", every_seconds=RETURN_EVERY_SECONDS, run=return_due_offers
    )
    registry.schedule(
        "membership.expire_exports", every_seconds=EXPIRE_EVERY_SECONDS, run=expire_exports
    )


class PrivacyJobs:
    """Thin listeners: each takes an event and tells those it is about."""

    def __init__(self, *, clock: Clock, words: Words) -> None:
        """Put into words by `words`; WeChat's templates are read in Chinese."""
        self._clock = clock
        self._words = words

    async def tell_of_refund(self, tx: Tx, event: RefundDecided) -> None:
        """Tell a member that the money is there, or why it is not."""
        at = event.at.astimezone(ZONE)
        number = event.refund_id.hex
        values: dict[str, Value]
        if event.is_paid:
            values = {
                "number": number[-12:].upper(),
                "amount": event.amount_fen,
                "to": self._said(f"refund_by_{event.tender}"),
                "at": at,
            }
            purpose = REFUNDED
        else:
            values = {
                "service": self._said("refund"),
                "result": self._said("refund_refused"),
                "at": at,
            }
            purpose = SERVICE_DONE
        await tell_member(
            tx,
            purpose=purpose,
            member_id=event.member_id,
            values=values,
            page="refunds",
            client_msg_id=number,
            now=self._clock.now(),
        )

    async def tell_of_offer(self, tx: Tx, event: PassOnOffered) -> None:
        """Tell the receiver that something waits. Of a link only the sender knows."""
        if event.to_member_id is not None:
            await self._tell_of_value(
                tx, event, to=event.to_member_id, is_sender=False, state="offered"
            )

    async def tell_of_settlement(self, tx: Tx, event: PassOnSettled) -> None:
        """Tell both how it ended; who said no, or took it back, knows."""
        if event.status != "withdrawn":
            await self._tell_of_value(
                tx, event, to=event.from_member_id, is_sender=True, state=event.status
            )
        if event.to_member_id is not None and event.status != "declined":
            await self._tell_of_value(
                tx, event, to=event.to_member_id, is_sender=False, state=f"{event.status}_to"
            )

    async def _tell_of_value(
        self,
        tx: Tx,
        event: PassOnOffered | PassOnSettled,
        *,
        to: MemberId,
        is_sender: bool,
        state: str,
    ) -> None:
        offer = await find_offer(tx, event.offer_id)
        if offer is None:
            return
        other = offer.to_name if is_sender else offer.from_name
        at: datetime = event.at.astimezone(ZONE)
        await tell_member(
            tx,
            purpose=PASSED_ON,
            member_id=to,
            values={
                "other": mask_name(other) or self._said("somebody"),
                "amount": event.amount_fen,
                "state": self._said(f"pass_on_{state}"),
                "at": at,
            },
            page="pass-on",
            client_msg_id=f"{event.offer_id.hex}:{state}",
            now=self._clock.now(),
        )

    def _said(self, key: str) -> str:
        return self._words.text(f"privacy_told.{key}")
