"""Which function answers which path, and what a call gives it to work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wechat_sandbox.accounts import Account
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.database import Transaction

if TYPE_CHECKING:
    from wechat_sandbox.sandbox import Sandbox

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call after its token was accepted; `body` is empty for GET."""

    sandbox: "Sandbox"
    tx: Transaction
    query: Mapping[str, str]
    body: Mapping[str, Any]
    raw: bytes
    token_account: Account | None

    @property
    def account(self) -> Account:
        """The account whose token came with the call."""
        assert self.token_account is not None, "the endpoint asked for a token"
        return self.token_account

    def text(self, name: str, *, missing: int = 47001) -> str:
        """A text field of the body; WeChatError(`missing`) where it is absent or no text."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise WeChatError(missing)
        return value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`daily_limit` is WeChat's for a new certified account; None is not counted."""

    method: str
    path: str
    answer: Callable[[ApiCall], Answer]
    daily_limit: int | None
    needs_token: bool


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(
    method: str, path: str, *, daily_limit: int | None = None, needs_token: bool = True
) -> Callable[[Callable[[ApiCall], Answer]], Callable[[ApiCall], Answer]]:
    """Register the decorated function for a path; it raises WeChatError before it writes."""

    def register(answer: Callable[[ApiCall], Answer]) -> Callable[[ApiCall], Answer]:
        assert path not in ENDPOINTS, path
        ENDPOINTS[path] = Endpoint(method, path, answer, daily_limit, needs_token)
        return answer

    return register
