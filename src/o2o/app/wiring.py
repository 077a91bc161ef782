"""Wiring: which domains answer in chat, listen to events, contribute routes and panels.

The one place that knows every domain. A new domain adds its lines here and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from o2o.app.import_process import ImportProcess
from o2o.app.runtime import Runtime
from o2o.infra import live
from o2o.infra.live import Broadcaster
from o2o.infra.pace import Pace
from o2o.infra.relay_queries import forget_handled
from o2o.infra.subscriptions import Registry
from o2o.ledger import jobs as ledger_jobs
from o2o.membership import chat as membership_chat
from o2o.membership import counter_jobs, import_jobs, jobs_privacy, jobs_programme
from o2o.membership import jobs as membership_jobs
from o2o.membership import jobs_identity as membership_jobs_identity
from o2o.membership.actions import import_receive
from o2o.membership.desk import Desk
from o2o.membership.till import Till
from o2o.membership.web import api as membership_api
from o2o.membership.web import (
    console_dossier,
    console_imports,
    console_liability,
    console_members,
    console_merge,
    console_refunds,
    diner_charges,
    pad_cards,
    pad_refunds,
    pad_taste,
    programme_console,
)
from o2o.membership.web import diner as membership_diner
from o2o.membership.web import diner_identity as membership_identity
from o2o.membership.web import pad as membership_pad
from o2o.notifications.actions import queue_code
from o2o.notifications.sms.choice import choose_sender
from o2o.notifications.sms_errand import SMSErrands
from o2o.queueing import chat as queueing_chat
from o2o.queueing import chat_bookings, jobs_bookings, jobs_waits
from o2o.queueing import jobs as queueing_jobs
from o2o.queueing import jobs_notices as queueing_notices
from o2o.queueing.actions.tell_of_bookings import BookingVoice
from o2o.queueing.actions.tell_parties import Voice
from o2o.queueing.bookings import Bookings
from o2o.queueing.desk_work import Queues, Telling
from o2o.queueing.events import QueueChanged
from o2o.queueing.live import QueueBroadcaster
from o2o.queueing.web import api as queueing_api
from o2o.queueing.web import (
    console_arrange,
    console_booking_plan,
    console_bookings,
    console_bridge,
    console_history,
    console_hours,
    console_places,
    console_queues,
    console_rules,
    console_waits,
    diner_booking,
    diner_bookings,
    display,
    door_poster,
    pad_queue,
)
from o2o.queueing.web import diner as queueing_diner
from o2o.staff import jobs as staff_jobs
from o2o.staff import web as staff_web
from o2o.stores.web import styles as stores_styles
from o2o.web.console_menu import ConsoleMenu
from o2o.web.copy import Words
from o2o.web.panels import Panels
from o2o.wechat.actions.queue_messages import URGENT_TOPIC
from o2o.wechat.services import WeChatServices

HOUSEKEEPING_SECONDS = 600


class Wired(msgspec.Struct, frozen=True, kw_only=True):
    """The domains of one process, put together."""

    words: Words
    wechat: WeChatServices
    till: Till
    desk: Desk
    queues: Queues
    bookings: Bookings
    panels: Panels
    console_menu: ConsoleMenu

    @property
    def page_handlers(self) -> list[Any]:
        """List the routes of pages for people."""
        return [
            *self.wechat.route_handlers,
            *stores_styles.route_handlers,
            *membership_diner.route_handlers,
            *membership_identity.route_handlers,
            *queueing_diner.route_handlers,
            *diner_bookings.route_handlers,
            *diner_booking.route_handlers,
            *pad_cards.route_handlers,
            *staff_web.route_handlers,
            *membership_pad.route_handlers,
            *pad_refunds.route_handlers,
            *console_refunds.route_handlers,
            *programme_console.route_handlers,
            *console_members.route_handlers,
            *console_imports.route_handlers,
            *console_liability.route_handlers,
            *console_dossier.route_handlers,
            *pad_queue.route_handlers,
            *display.route_handlers,
            *console_queues.route_handlers,
            *console_arrange.route_handlers,
            *console_rules.route_handlers,
            *console_places.route_handlers,
            *console_hours.route_handlers,
            *console_history.route_handlers,
            *console_bookings.route_handlers,
            *console_booking_plan.route_handlers,
            *console_waits.route_handlers,
            *door_poster.route_handlers,
            *console_bridge.route_handlers,
            *console_merge.route_handlers,
        ]

    @property
    def api_handlers(self) -> list[Any]:
        """List the routes of the JSON API."""
        return [*membership_api.route_handlers, *queueing_api.route_handlers]

    @property
    def dependencies(self) -> Mapping[str, Any]:
        """Name what handlers ask for beside the platform."""
        return {
            **self.wechat.dependencies,
            "till": self.till,
            "desk": self.desk,
            "queues": self.queues,
            "bookings": self.bookings,
        }


def wire(runtime: Runtime) -> Wired:
    """Put the domains together for one process, web or relay."""
    words = Words()
    settings = runtime.settings
    wechat = WeChatServices(
        settings=settings,
        seal=runtime.seal,
        sessions=runtime.sessions,
        clock=runtime.clock,
        words=words,
    )
    membership_chat.register(wechat.router, words=words, public_url=settings.public_url)
    queueing_chat.register(wechat.router, words=words, public_url=settings.public_url)
    chat_bookings.register(wechat.router, words=words, public_url=settings.public_url)
    desk = Desk(
        sessions=runtime.sessions,
        seal=runtime.seal,
        clock=runtime.clock,
        public_url=settings.public_url,
    )
    till = Till(
        sessions=runtime.sessions,
        seal=runtime.seal,
        clock=runtime.clock,
        public_url=settings.public_url,
    )
    pace = Pace(sessions=runtime.sessions, clock=runtime.clock, topics={URGENT_TOPIC})
    queues = Queues(
        sessions=runtime.sessions,
        telling=Telling(
            voice=Voice(words, settings.public_url), clock=runtime.clock, room=pace.room
        ),
    )
    panels = Panels()
    pad_taste.register(panels)
    pad_cards.register(panels)
    pad_refunds.register(panels)
    diner_charges.register(panels, clock=runtime.clock)
    queueing_diner.register(panels, clock=runtime.clock)
    diner_booking.register(panels)
    console_merge.register(panels)
    console_menu = ConsoleMenu()
    staff_web.add_to_menu(console_menu)
    console_refunds.add_to_menu(console_menu)
    console_imports.add_to_menu(console_menu)
    console_liability.add_to_menu(console_menu)
    programme_console.add_to_menu(console_menu)
    console_members.add_to_menu(console_menu)
    console_queues.add_to_menu(console_menu)
    return Wired(
        words=words,
        wechat=wechat,
        till=till,
        desk=desk,
        queues=queues,
        bookings=Bookings(sessions=runtime.sessions),
        panels=panels,
        console_menu=console_menu,
    )


def wire_registry(runtime: Runtime, wired: Wired) -> Registry:
    """Say what the relay does: who listens to which event, who performs what, what comes round."""
    registry = Registry()
    broadcaster = Broadcaster(runtime.sessions)
    registry.perform_many(live.TOPIC, broadcaster.perform_many)
    registry.perform_many(QueueChanged.name, QueueBroadcaster(broadcaster).perform_many)
    sender = choose_sender(runtime.settings, clock=runtime.clock, words=wired.words)
    errands = SMSErrands(sender, seal=runtime.seal, clock=runtime.clock)
    registry.perform(queue_code.TOPIC, errands.perform)
    registry.schedule("outbox.forget", every_seconds=HOUSEKEEPING_SECONDS, run=forget_handled)
    wired.wechat.register(registry)
    staff_jobs.register(registry)
    ledger_jobs.register(registry, data_dir=runtime.settings.data_dir)
    membership_jobs.register(registry, clock=runtime.clock)
    membership_jobs_identity.register(registry, clock=runtime.clock)
    counter_jobs.register(
        registry,
        clock=runtime.clock,
        words=wired.words,
        public_url=runtime.settings.public_url,
    )
    import_jobs.register(registry)
    registry.perform(import_receive.TOPIC, ImportProcess().perform)
    jobs_programme.register(registry, clock=runtime.clock)
    jobs_privacy.register(
        registry,
        sessions=runtime.sessions,
        seal=runtime.seal,
        clock=runtime.clock,
        words=wired.words,
    )
    queueing_jobs.register(registry)
    jobs_waits.register(registry, sessions=runtime.sessions)
    jobs_bookings.register(
        registry,
        messenger=wired.wechat.messenger,
        clock=runtime.clock,
        voice=BookingVoice(wired.words, runtime.settings.public_url),
    )
    queueing_notices.register(
        registry,
        messenger=wired.wechat.messenger,
        clock=runtime.clock,
        voice=Voice(wired.words, runtime.settings.public_url),
    )
    return registry
