"""Settings from the environment (`O2O_*`), checked at start with a sentence for each mistake."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

WECHAT_API_URL = "https://api.weixin.qq.com"
WECHAT_OAUTH_URL = "https://open.weixin.qq.com"
WECHAT_PAY_URL = "https://api.mch.weixin.qq.com"
WECHAT_JSSDK_URL = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
TENCENT_SMS_URL = "https://sms.tencentcloudapi.com"
SECRET_KEY_CHARS_MIN = 32
POOL_SIZE_MAX = 16


class SettingsWrong(Exception):
    """One or more settings cannot be used; the text says which and what to write instead."""


class SMSProvider(StrEnum):
    """Who carries text messages."""

    NONE = ""
    TENCENT = "tencent"
    # The inboxes of the sandbox's phones; for the demo.
    SANDBOX = "sandbox"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs between deployments."""

    # Empty: the embedded PostgreSQL under data_dir.
    database_url: str = ""
    data_dir: Path = Path(".o2o")
    public_url: str = "http://127.0.0.1:8000"
    # Root of all derived keys: sealing of credentials, hashes of tokens and codes.
    secret_key: str = ""
    wechat_api_url: str = WECHAT_API_URL
    wechat_oauth_url: str = WECHAT_OAUTH_URL
    wechat_pay_url: str = WECHAT_PAY_URL
    wechat_jssdk_url: str = WECHAT_JSSDK_URL
    # Without a provider phones are not verified; members are named at the counter by their card.
    sms_provider: SMSProvider = SMSProvider.NONE
    sms_url: str = TENCENT_SMS_URL
    sms_region: str = "ap-guangzhou"
    sms_secret_id: str = ""
    sms_secret_key: str = ""
    sms_app_id: str = ""
    sms_sign_name: str = ""
    sms_template_id: str = ""
    demo: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    pool_size: int = 8
    # How many proxies in front of us append to X-Forwarded-For.
    trusted_proxies: int = 0
    log_json: bool = True
    # Largest file that may be imported.
    import_bytes_max: int = 200_000_000

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us encrypted, so that cookies can be Secure and host-bound."""
        return self.public_url.startswith("https://")


def _is_true(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    msg = "write 1 or 0"
    raise ValueError(msg)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if number < 0:
        msg = "write a whole number"
        raise ValueError(msg)
    return number


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        msg = "write an address such as https://o2o.example.com"
        raise ValueError(msg)
    return text.rstrip("/")


def _provider(text: str) -> SMSProvider:
    try:
        return SMSProvider(text.lower())
    except ValueError:
        msg = f"write {SMSProvider.TENCENT}, or nothing"
        raise ValueError(msg) from None


_READERS: dict[str, Callable[[str], object]] = {
    "data_dir": Path,
    "sms_provider": _provider,
    "sms_url": _url,
    "public_url": _url,
    "wechat_api_url": _url,
    "wechat_oauth_url": _url,
    "wechat_pay_url": _url,
    "wechat_jssdk_url": _url,
    "demo": _is_true,
    "log_json": _is_true,
    "port": _positive,
    "workers": _positive,
    "pool_size": _positive,
    "trusted_proxies": _positive,
    "import_bytes_max": _positive,
}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read `O2O_*`. Raises SettingsWrong with one line per mistake."""
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    faults: list[str] = []
    for name in Settings.__struct_fields__:
        text = environment.get(f"O2O_{name.upper()}")
        if text is None:
            continue
        try:
            values[name] = _READERS.get(name, str)(text.strip())
        except ValueError as error:
            faults.append(f"O2O_{name.upper()}={text!r} cannot be used: {error}.")
    if not faults:
        settings = Settings(**values)  # type: ignore[arg-type]  # built by name from the readers
        faults = settings_faults(settings)
        if not faults:
            return settings
    raise SettingsWrong("\n".join(faults))


def settings_faults(settings: Settings) -> list[str]:
    """Say in sentences what cannot work or must not run; empty when all is well."""
    faults: list[str] = []
    if len(settings.secret_key) < SECRET_KEY_CHARS_MIN:
        faults.append(
            f"O2O_SECRET_KEY needs at least {SECRET_KEY_CHARS_MIN} characters; make one with:"
            ' python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if settings.database_url and not settings.database_url.startswith(
        ("postgresql://", "postgres://", "postgresql+asyncpg://")
    ):
        faults.append(
            "O2O_DATABASE_URL must start with postgresql:// (PostgreSQL 15 or newer);"
            " leave it empty to use the embedded one."
        )
    if not 1 <= settings.pool_size <= POOL_SIZE_MAX:
        faults.append(f"O2O_POOL_SIZE must lie between 1 and {POOL_SIZE_MAX}.")
    if settings.workers < 1:
        faults.append("O2O_WORKERS must be at least 1.")
    if settings.sms_provider is SMSProvider.TENCENT:
        faults += [
            f"O2O_{name.upper()} is needed for text messages by {settings.sms_provider}."
            for name in ("sms_secret_id", "sms_secret_key", "sms_app_id", "sms_sign_name")
            if not getattr(settings, name)
        ]
        if not settings.sms_template_id.isdigit():
            faults.append("O2O_SMS_TEMPLATE_ID is the number of a template with two places.")
    if not settings.demo:
        faults += _production_faults(settings)
    return faults


def _production_faults(settings: Settings) -> list[str]:
    faults = [
        f"O2O_{name.upper()} points at {getattr(settings, name)}, which is not WeChat's own host;"
        " only the demo may talk to a stand-in (o2o demo, or O2O_DEMO=1)."
        for name in ("wechat_api_url", "wechat_oauth_url", "wechat_pay_url", "wechat_jssdk_url")
        if is_stand_in(getattr(settings, name))
    ]
    if settings.sms_provider is SMSProvider.SANDBOX:
        faults.append("O2O_SMS_PROVIDER=sandbox is the demo's: no phone outside it hears of it.")
    elif settings.sms_provider and is_stand_in(settings.sms_url):
        faults.append("O2O_SMS_URL must be the provider's own address.")
    if settings.secret_key.startswith("demo-"):
        faults.append("O2O_SECRET_KEY is the demo's; make one of your own.")
    return faults


def is_stand_in(url: str) -> bool:
    """Whether an address that should be WeChat's is on this machine or a private network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost") or parts.scheme != "https":
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
