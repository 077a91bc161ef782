"""The gateway: every HTTP call to WeChat, through wechatpy's client with its traps closed.

wechatpy 1.8.18 retries refused tokens without end, fetches tokens without a time limit, follows
redirects, has no limit on answers and returns non-JSON ones as if they were results (WECHAT.md §6).
Here a call is made with the token it is given, once, in a thread, within ten seconds.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from o2o.infra.logging import get_logger
from o2o.infra.metrics import WECHAT_CALLS
from o2o.wechat.errors import WeChatAway, WeChatRefused

log = get_logger(__name__)

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
ANSWER_BYTES_MAX = 4 << 20
# As many as the relay's lanes have errands under way, so that none waits for a thread.
THREADS = 64
CHUNK_BYTES = 65_536
ERRMSG_CHARS_MAX = 500
_REQUEST_ID_MARK = " rid: "


class _Unreadable(Exception):
    """The answer is too long, too slow, or not a JSON object."""


class _Client(WeChatClient):  # type: ignore[misc]  # wechatpy ships no types
    """wechatpy's client without its own tokens: it sends what it is told to send, once."""

    def __init__(self) -> None:
        """Share one pool of connections among all accounts; never read proxies from outside."""
        super().__init__("", "", auto_retry=False, timeout=(CONNECT_SECONDS, TOTAL_SECONDS))
        self._http.trust_env = False
        adapter = HTTPAdapter(pool_maxsize=THREADS, max_retries=0)
        self._http.mount("http://", adapter)
        self._http.mount("https://", adapter)
        self._http.headers["Content-Type"] = "application/json"
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def fetch_access_token(self) -> None:
        """Refuse: tokens are fetched under a lease by `o2o.wechat.tokens`."""
        msg = "a call without access_token"
        raise AssertionError(msg)

    def _decode_result(self, res: requests.Response) -> dict[str, Any]:
        """Read a bounded JSON object, whatever WeChat says the content type is."""
        if res.is_redirect:
            msg = "a redirect"
            raise _Unreadable(msg)
        try:
            decoded = msgspec.json.decode(_bounded_body(res))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = "not JSON"
            raise _Unreadable(msg) from error
        if not isinstance(decoded, dict):
            msg = "not a JSON object"
            raise _Unreadable(msg)
        errcode = decoded.get("errcode", 0)
        if not isinstance(errcode, int):
            msg = "errcode is no number"
            raise _Unreadable(msg)
        return decoded


def _bounded_body(res: requests.Response) -> bytes:
    deadline = time.monotonic() + TOTAL_SECONDS
    body = bytearray()
    for chunk in res.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            msg = "too long"
            raise _Unreadable(msg)
        if time.monotonic() > deadline:
            msg = "too slow"
            raise _Unreadable(msg)
    return bytes(body)


class Gateway:
    """WeChat's API of the official accounts, one per process."""

    def __init__(self, *, api_url: str) -> None:
        """Call `api_url` (WeChat's own host, or the sandbox)."""
        self._api_url = api_url.rstrip("/")
        self._client = _Client()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="wechat")

    def close(self) -> None:
        """Let the threads go; calls under way end by themselves within their time."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client._http.close()  # noqa: SLF001 - the pool of connections is ours to close

    async def get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """GET a path of the API. Raises WeChatRefused, WeChatAway."""
        return await self._call("get", path, params=dict(params))

    async def post(
        self, path: str, body: Mapping[str, Any], *, access_token: str | None = None
    ) -> dict[str, Any]:
        """POST JSON to a path of the API. Raises WeChatRefused, WeChatAway.

        Non-ASCII text goes out as it is: WeChat refuses escapes with 40033.
        """
        params = {} if access_token is None else {"access_token": access_token}
        return await self._call("post", path, params=params, data=msgspec.json.encode(body))

    async def fetch_page(self, url: str) -> tuple[int, bytes]:
        """GET an address of our own, for the doctor. Raises WeChatAway."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._fetch_page, url
        )

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self._call_blocking(method, path, request)
        )
        WECHAT_CALLS.labels(path, "0").inc()
        return answer

    def _call_blocking(self, method: str, path: str, request: dict[str, Any]) -> dict[str, Any]:
        request["params"].setdefault("access_token", None)  # None is left out of the address.
        try:
            answer: dict[str, Any] = self._client._request(  # noqa: SLF001 - wechatpy's one road out
                method, f"{self._api_url}{path}", allow_redirects=False, stream=True, **request
            )
        except WeChatClientException as error:
            raise self._named(error, path) from None
        except (requests.RequestException, _Unreadable, OSError, ValueError, TypeError) as error:
            # A TypeError is wechatpy's, of a `base_resp` that is no object. The exception's own
            # text may hold the address with its token.
            raise self._away(path, type(error).__name__, error) from None
        return answer

    def _named(self, error: WeChatClientException, path: str) -> WeChatRefused | WeChatAway:
        if error.errcode is None:
            status = getattr(error.response, "status_code", 0)
            return self._away(path, f"HTTP {status}", error)
        WECHAT_CALLS.labels(path, str(error.errcode)).inc()
        errmsg = str(error.errmsg).partition(_REQUEST_ID_MARK)[0][:ERRMSG_CHARS_MAX]
        log.info("wechat.refused", path=path, errcode=error.errcode, errmsg=str(error.errmsg))
        return WeChatRefused(errcode=int(error.errcode), errmsg=errmsg, path=path)

    @staticmethod
    def _away(path: str, reason: str, error: Exception) -> WeChatAway:
        if isinstance(error, _Unreadable):
            reason = str(error)
        WECHAT_CALLS.labels(path, "away").inc()
        log.warning("wechat.away", path=path, reason=reason)
        return WeChatAway(path=path, reason=reason)

    def _fetch_page(self, url: str) -> tuple[int, bytes]:
        try:
            with self._client._http.get(  # noqa: SLF001 - the same bounded pool of connections
                url,
                timeout=(CONNECT_SECONDS, TOTAL_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _bounded_body(response)
        except (requests.RequestException, _Unreadable, OSError) as error:
            raise WeChatAway(path="callback", reason=type(error).__name__) from None
