"""Why a callback from WeChat is refused: one exception, a stable code and its HTTP status."""

from enum import StrEnum
from typing import Final

HTTP_BAD_REQUEST: Final = 400
HTTP_FORBIDDEN: Final = 403
HTTP_TOO_LARGE: Final = 413


class RefusalCode(StrEnum):
    """The stable code of each refusal; the numbers name WeChat's own error of the same cause."""

    ECHOSTR_MISSING = "wechat.echostr_missing"
    SIGNATURE_INVALID = "wechat.signature_invalid"  # -40001
    REPLAYED = "wechat.replayed"
    BODY_EMPTY = "wechat.body_empty"
    BODY_TOO_LARGE = "wechat.body_too_large"
    ENCODING_INVALID = "wechat.encoding_invalid"
    JSON_UNSUPPORTED = "wechat.json_unsupported"
    XML_BROKEN = "wechat.xml_broken"  # -40002
    DTD_FORBIDDEN = "wechat.dtd_forbidden"
    MESSAGE_SIGNATURE_INVALID = "wechat.message_signature_invalid"  # -40001
    DECRYPT_FAILED = "wechat.decrypt_failed"  # -40007, -40010
    APPID_MISMATCH = "wechat.appid_mismatch"  # -40005
    LENGTH_ILLEGAL = "wechat.length_illegal"  # -40008
    ACCOUNT_UNKNOWN = "wechat.account_unknown"


_STATUSES: Final = {
    RefusalCode.ECHOSTR_MISSING: HTTP_BAD_REQUEST,
    RefusalCode.SIGNATURE_INVALID: HTTP_FORBIDDEN,
    RefusalCode.REPLAYED: HTTP_FORBIDDEN,
    RefusalCode.BODY_EMPTY: HTTP_BAD_REQUEST,
    RefusalCode.BODY_TOO_LARGE: HTTP_TOO_LARGE,
    RefusalCode.ENCODING_INVALID: HTTP_BAD_REQUEST,
    RefusalCode.JSON_UNSUPPORTED: HTTP_BAD_REQUEST,
    RefusalCode.XML_BROKEN: HTTP_BAD_REQUEST,
    RefusalCode.DTD_FORBIDDEN: HTTP_BAD_REQUEST,
    RefusalCode.MESSAGE_SIGNATURE_INVALID: HTTP_FORBIDDEN,
    RefusalCode.DECRYPT_FAILED: HTTP_FORBIDDEN,
    RefusalCode.APPID_MISMATCH: HTTP_FORBIDDEN,
    RefusalCode.LENGTH_ILLEGAL: HTTP_FORBIDDEN,
    RefusalCode.ACCOUNT_UNKNOWN: HTTP_FORBIDDEN,
}


class CallbackRefused(Exception):
    """The request is not one that WeChat sent to this account, or not one we can read.

    ``code`` and ``reason`` are for our log. A 403 is answered with an empty body whatever its code,
    so that nobody outside learns which check failed.
    """

    def __init__(self, code: RefusalCode, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.status: int = _STATUSES[code]

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}" if self.reason else str(self.code)
