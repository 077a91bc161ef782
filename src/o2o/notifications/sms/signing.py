"""Tencent Cloud's signature TC3-HMAC-SHA256, as its API 3.0 documents it ("Signature v3")."""

import hashlib
import hmac
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json; charset=utf-8"
_SIGNED = "content-type;host;x-tc-action"


def authorization(
    *, secret_id: str, secret_key: str, service: str, host: str, action: str, body: bytes, at: int
) -> str:
    """Return the Authorization header of a POST to `/` at `at`, Unix seconds."""
    scope = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}/{service}/tc3_request"
    asked = (
        f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-tc-action:{action.lower()}\n"
        f"\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    )
    to_sign = f"{ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return (
        f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={_SIGNED},"
        f" Signature={signature}"
    )
