"""Which adapter carries text messages: the settings say."""

from o2o.infra.settings import Settings, SMSProvider
from o2o.kernel.clock import Clock
from o2o.notifications.sms.port import SMSSender
from o2o.notifications.sms.sandbox import SandboxSMS
from o2o.notifications.sms.tencent import TencentSMS
from o2o.web.copy import Words


def choose_sender(settings: Settings, *, clock: Clock, words: Words) -> SMSSender | None:
    """Return the adapter of the chosen provider; None when text messages are not set up."""
    if settings.sms_provider is SMSProvider.TENCENT:
        return TencentSMS(settings, clock=clock)
    if settings.sms_provider is SMSProvider.SANDBOX:
        return SandboxSMS(settings, words=words)
    return None
