"""The doctor on text messages: whether phones can be verified, and by whom."""

from o2o.app.doctor.report import Remark, ok, warn
from o2o.infra.settings import Settings, SMSProvider


def examine_sms(settings: Settings) -> list[Remark]:
    """Say who carries text messages; the settings' own check names what a provider lacks."""
    if settings.sms_provider is SMSProvider.NONE:
        return [warn("sms.off")]
    if settings.sms_provider is SMSProvider.SANDBOX:
        return [ok("sms.sandbox", url=settings.sms_url)]
    return [
        ok(
            "sms.set",
            provider=settings.sms_provider.value,
            sign=settings.sms_sign_name,
            template=settings.sms_template_id,
        )
    ]
