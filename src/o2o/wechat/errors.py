"""What can go wrong between us and WeChat, named."""

from o2o.kernel.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, Unavailable


class AccountNotFound(NotFound):
    """There is no official account of that name."""

    code = "wechat.account_not_found"


class AccountKeysInvalid(Invalid):
    """The credentials of an official account cannot be right; `field` says which."""

    code = "wechat.account_keys_invalid"


class MessageReplayed(Forbidden):
    """Timestamp and nonce of a callback were seen before, with another message."""

    code = "wechat.replayed"


class WeChatRefused(Conflict):
    """WeChat answered with an error code; `errcode` and `errmsg` are in the details."""

    code = "wechat.refused"

    def __init__(self, *, errcode: int, errmsg: str, path: str) -> None:
        """Keep WeChat's own words, without their request id."""
        super().__init__(errcode=errcode, errmsg=errmsg, path=path)
        self.errcode = errcode
        self.errmsg = errmsg
        self.path = path


class WeChatAway(Unavailable):
    """WeChat did not answer in time, or not in a way that can be read."""

    code = "wechat.away"

    def __init__(self, *, path: str, reason: str) -> None:
        """Keep what was called and what happened, for the log."""
        super().__init__(path=path, reason=reason)
        self.path = path
        self.reason = reason


class PurposeUnknown(Invalid):
    """No template is declared for that purpose."""

    code = "wechat.purpose_unknown"


class TemplateValuesWrong(Invalid):
    """A template message lacks a value, or has one that its purpose does not declare."""

    code = "wechat.template_values_wrong"


class PageNotSignable(BadRequest):
    """The JS-SDK is signed for pages of this account only."""

    code = "wechat.page_not_signable"


class OAuthScopeInvalid(BadRequest):
    """The scope is neither `base` nor `userinfo`."""

    code = "oauth.scope_invalid"


class OAuthStateInvalid(Forbidden):
    """The state is missing, unknown, expired, used, or of another browser or account."""

    code = "oauth.state_invalid"


class OAuthDeclined(Forbidden):
    """The person did not allow it; `retry_url` in the details begins again."""

    code = "oauth.declined"


class OAuthFailed(Forbidden):
    """WeChat refused twice in a row; sending the browser round again would be a loop."""

    code = "oauth.failed"
