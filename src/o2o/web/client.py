"""From which address a request came, as far as the proxies in front can be trusted."""

from typing import Any

from litestar import Request

from o2o.web.platform import platform_of


def client_address(request: Request[Any, Any, Any]) -> str:
    """Return the address that the outermost of our own proxies saw.

    Each proxy appends the address it was reached from, so the n-th from the end was written by
    the first of ours; what stands before it is the client's own claim.
    """
    proxies = platform_of(request).settings.trusted_proxies
    told = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    if proxies and len(told) >= proxies and told[-proxies]:
        return told[-proxies]
    return request.client.host if request.client else "unknown"
