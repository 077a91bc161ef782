"""The outermost layer of the app: trace id, security headers, metrics, one per response."""

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import Counter, Histogram

from o2o.infra.metrics import HTTP_REQUESTS, HTTP_SECONDS
from o2o.infra.settings import Settings
from o2o.infra.trace import new_trace_id, trace_id_var

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


# The figures' labels: a client may invent methods without end.
_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


def content_security_policy(settings: Settings) -> str:
    """Return the policy of all pages: own scripts, WeChat's JS-SDK, nothing inline, no eval.

    WebAssembly may be compiled because the scanner's decoder is WebAssembly. Only the demo lets
    its phone frame our pages.
    """
    jssdk = _origin(settings.wechat_jssdk_url)
    framed_by = f"'self' {_frame_origins(settings)}" if settings.demo else "'none'"
    return (
        "default-src 'none'; "
        f"script-src 'self' 'wasm-unsafe-eval' {jssdk}; "
        "style-src 'self'; font-src 'self'; "
        "img-src 'self' data: blob: https://wx.qlogo.cn https://thirdwx.qlogo.cn; "
        f"media-src 'self' blob:; connect-src 'self'{f' {jssdk}' if settings.demo else ''}; "
        f"form-action 'self' {_origin(settings.wechat_oauth_url)}; "
        f"manifest-src 'self'; worker-src 'self'; base-uri 'none'; object-src 'none'; "
        f"frame-ancestors {framed_by}"
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _frame_origins(settings: Settings) -> str:
    # The phone may be opened by either name of this machine.
    origin = _origin(settings.wechat_oauth_url)
    return f"{origin} {origin.replace('127.0.0.1', 'localhost')}"


def _security_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-security-policy": content_security_policy(settings),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(self), microphone=()",
    }
    if settings.is_https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    if not settings.demo:
        headers["x-frame-options"] = "DENY"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class Edge:
    """Wraps an ASGI app so that every answer has a trace id and the security headers."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        """Compute the headers once."""
        self._app = app
        self._headers = _security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = new_trace_id()
        token = trace_id_var.set(trace_id)
        started = time.perf_counter()
        # When the answer began: a stream is not slow because it lasts.
        answered: float | None = None
        status = 500
        own = [*self._headers, (b"x-trace-id", trace_id.encode())]
        method: str = scope["method"]
        is_head = method == "HEAD"
        if is_head:
            # RFC 9110 §9.3.2: what GET would answer, without its body.
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
                message["headers"] = _completed(message.get("headers", ()), own, path=scope["path"])
                await send(message)
                if is_head:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif not is_head:
                await send(message)

        async def receive_until_answered() -> MutableMapping[str, Any]:
            # Else an event stream would go on for somebody who wants no body.
            return {"type": "http.disconnect"} if answered else await receive()

        try:
            asked = receive_until_answered if is_head else receive
            await self._app(scope, asked, send_with_headers)
        finally:
            route = _route_of(scope)
            _requests(_METHODS.get(method, "other"), route, status).inc()
            _seconds(route).observe((answered or time.perf_counter()) - started)
            trace_id_var.reset(token)


# Finding a figure by its labels takes a lock; there are as many as routes and statuses.
@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Counter:
    return HTTP_REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=1024)
def _seconds(route: str) -> Histogram:
    return HTTP_SECONDS.labels(route)


def _completed(
    given: Iterable[tuple[bytes, bytes]], own: list[tuple[bytes, bytes]], *, path: str
) -> list[tuple[bytes, bytes]]:
    headers = [*given, *own]
    is_kept_nowhere = path.startswith("/api/")  # Members' data, whatever the answer.
    if is_kept_nowhere and all(name.lower() != b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    return headers


def _route_of(scope: Scope) -> str:
    """Return the route's template, never the path: paths hold ids and would fill memory."""
    handler = scope.get("route_handler")
    template = scope.get("path_template") or getattr(handler, "name", None)
    return str(template) if template else "other"
