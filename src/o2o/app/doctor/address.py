"""The doctor on how the deployment is reached: public address, cookies, proxy, demo switch."""

import ipaddress
from urllib.parse import urlsplit

import httpx

from o2o.app.doctor.report import Remark, fail, ok, warn
from o2o.infra.settings import Settings

ANSWER_SECONDS = 5.0
# WeChat calls no others.
WECHAT_PORTS = {None, 80, 443}
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


def examine_address(settings: Settings) -> list[Remark]:
    """Say whether WeChat and browsers can come in by the public address."""
    if settings.demo:
        return _demo(settings)
    url, parts = settings.public_url, urlsplit(settings.public_url)
    host = parts.hostname or ""
    remarks = []
    if not settings.is_https:
        remarks.append(fail("address.not_https", url=url))
    if parts.path:
        remarks.append(fail("address.has_path", url=url, path=parts.path))
    if parts.port not in WECHAT_PORTS:
        remarks.append(fail("address.port", url=url, port=str(parts.port)))
    if _is_private(host):
        remarks.append(fail("address.private", url=url, host=host))
    elif _is_ip(host):
        remarks.append(fail("address.no_domain", url=url, host=host))
    if not remarks:
        remarks.append(ok("address.good", url=url))
    if settings.is_https:
        remarks.append(ok("cookies.bound"))
    else:
        remarks.append(fail("cookies.open"))
    if settings.is_https and settings.trusted_proxies == 0:
        remarks.append(warn("address.proxy_unknown"))
    return remarks


def _demo(settings: Settings) -> list[Remark]:
    if not _is_private(urlsplit(settings.public_url).hostname or ""):
        return [fail("demo.public", url=settings.public_url)]
    return [warn("demo.on", url=settings.public_url)]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local")) or "." not in host


async def examine_product(settings: Settings) -> list[Remark]:
    """Say whether the product answers on this machine; WeChat's way in is examined per account."""
    host = _ANY_ADDRESS.get(settings.host, settings.host)
    netloc = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
    url = f"http://{netloc}/readyz"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return [warn("product.not_here", url=url, reason=type(error).__name__)]
    if answer.status_code != httpx.codes.OK:
        return [fail("product.unready", url=url, status=str(answer.status_code))]
    return [ok("product.ready", url=url)]
