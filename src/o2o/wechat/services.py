"""The parts of the exchange with WeChat, built together for one process."""

import asyncio
from collections.abc import Sequence

from litestar.di import Provide

from o2o.infra.database import SessionFactory
from o2o.infra.logging import get_logger
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.web.copy import Words
from o2o.wechat import jobs
from o2o.wechat.accounts import Accounts
from o2o.wechat.actions.erase_profiles import (
    note_cancellations,
    note_changed_profiles,
    note_revocations,
)
from o2o.wechat.actions.follow_accounts import note_follows, note_unfollows
from o2o.wechat.actions.record_deliveries import note_finished_templates
from o2o.wechat.api import WeChatAPI
from o2o.wechat.callback import CallbackApp
from o2o.wechat.codec.messages import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    SubscribeEvent,
    TemplateSendFinished,
    UnsubscribeEvent,
    UserInfoModified,
)
from o2o.wechat.doctor import Doctor
from o2o.wechat.fan_reader import FanReader
from o2o.wechat.gateway import Gateway
from o2o.wechat.intake import Intake
from o2o.wechat.jssdk import JSSDK
from o2o.wechat.messenger import Messenger
from o2o.wechat.oauth import OAuth
from o2o.wechat.outcomes import Outcomes
from o2o.wechat.router import ChatRouter
from o2o.wechat.spool.drain import SpoolDrain
from o2o.wechat.spool.writer import SpoolWriter
from o2o.wechat.template_setup import TemplateSetup
from o2o.wechat.tokens import Tokens
from o2o.wechat.web.oauth import finish_oauth, sign_page, start_oauth
from o2o.wechat.web.verification import show_verification

log = get_logger(__name__)


class WeChatServices:
    """One per process. Domains fill `router` before `start`.

    In a process that serves: `callback_app`, `route_handlers`, `dependencies`, `start()`, `stop()`.
    In a worker, or a process that is both: `register(registry)` and `start(is_worker=True)`, which
    also drains the disk spool of this machine.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        seal: Seal,
        sessions: SessionFactory,
        clock: Clock,
        words: Words,
    ) -> None:
        """Build everything; nothing runs and nothing is opened before `start`."""
        spool_dir = settings.data_dir / "spool"
        self.router = ChatRouter(words)
        self.accounts = Accounts(sessions=sessions, seal=seal)
        self.gateway = Gateway(api_url=settings.wechat_api_url)
        self.api = WeChatAPI(
            gateway=self.gateway, tokens=Tokens(sessions=sessions, seal=seal, clock=clock)
        )
        self.templates = TemplateSetup(sessions=sessions, api=self.api)
        self.messenger = Messenger(
            sessions=sessions,
            clock=clock,
            accounts=self.accounts,
            api=self.api,
            templates=self.templates,
            public_url=settings.public_url,
        )
        self.reader = FanReader(sessions=sessions, accounts=self.accounts, api=self.api)
        self.oauth = OAuth(
            settings=settings,
            sessions=sessions,
            seal=seal,
            clock=clock,
            accounts=self.accounts,
            gateway=self.gateway,
        )
        self.jssdk = JSSDK(settings=settings, clock=clock, accounts=self.accounts, api=self.api)
        self.doctor = Doctor(
            settings=settings,
            clock=clock,
            accounts=self.accounts,
            api=self.api,
            templates=self.templates,
        )
        self._spool = SpoolWriter(spool_dir)
        self._intake = Intake(sessions=sessions, router=self.router, spool=self._spool)
        self._outcomes = Outcomes(sessions=sessions, now=clock.now)
        self.callback_app = CallbackApp(
            accounts=self.accounts, intake=self._intake, clock=clock, outcomes=self._outcomes
        )
        self.drain = SpoolDrain(
            spool_dir, sessions=sessions, accounts=self.accounts, router=self.router
        )
        self._draining: asyncio.Task[None] | None = None
        take_note(self.router)

    @property
    def route_handlers(self) -> Sequence[object]:
        """Return the Litestar route functions of OAuth, the JS-SDK and domain verification."""
        return (start_oauth, finish_oauth, sign_page, show_verification)

    @property
    def dependencies(self) -> dict[str, Provide]:
        """Return what the route functions ask for by name: `oauth`, `jssdk`, `accounts`."""
        return {
            "oauth": Provide(lambda: self.oauth, sync_to_thread=False),
            "jssdk": Provide(lambda: self.jssdk, sync_to_thread=False),
            "accounts": Provide(lambda: self.accounts, sync_to_thread=False),
        }

    def register(self, registry: Registry) -> None:
        """Let the relay perform what was queued for WeChat."""
        jobs.register(registry, messenger=self.messenger, reader=self.reader)

    async def start(self, *, is_worker: bool = False) -> None:
        """Read the accounts (an absent database is no hindrance) and, as a worker, drain."""
        try:
            await self.accounts.refresh()
        except Exception as error:  # noqa: BLE001 - read again when the first callback comes
            log.warning("wechat.accounts_not_read", error=repr(error))
        if is_worker and self._draining is None:
            self._draining = asyncio.create_task(self.drain.run())

    async def stop(self) -> None:
        """Finish what is under way and close the spool's file."""
        self.drain.stop()
        if self._draining is not None:
            await self._draining
            self._draining = None
        await self._intake.close()
        self.callback_app.close()
        await self._outcomes.close()
        await self._spool.close()
        self.gateway.close()


def take_note(router: ChatRouter) -> None:
    """Let every process note what messages say about fans and deliveries."""
    router.effect(SubscribeEvent, note_follows)
    router.effect(UnsubscribeEvent, note_unfollows)
    router.effect(UserInfoModified, note_changed_profiles)
    router.effect(AuthorizationRevoked, note_revocations)
    router.effect(AuthorizationCancelled, note_cancellations)
    router.effect(TemplateSendFinished, note_finished_templates)
