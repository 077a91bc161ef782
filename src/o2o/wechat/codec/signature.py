"""WeChat's SHA-1 signatures: callbacks, encrypted messages and the JS-SDK."""

from hashlib import sha1
from hmac import compare_digest
from typing import Final

# Copied for each text: making one anew looks the algorithm up in the library each time.
_NOTHING_HASHED: Final = sha1(usedforsecurity=False)


def sign(*parts: str) -> str:
    """SHA-1 in lower-case hex over the sorted, joined parts.

    The parts are token, timestamp, nonce and, for an encrypted message, the ``Encrypt`` text. Code
    point order is also the byte order of UTF-8, which is what WeChat sorts by.
    """
    joined = "".join(sorted(parts))
    # A lone surrogate can come out of a forged query; it must fail the comparison and not the
    # encoding.
    return _sha1_of(joined.encode("utf-8", "surrogatepass"))


def is_signed(signature: str, *parts: str) -> bool:
    """Whether ``signature`` covers token and other parts; compared in constant time.

    False for an empty token: an account that has none configured would accept anybody's signature.
    """
    if not parts or not parts[0] or not signature.isascii():
        return False
    return compare_digest(signature, sign(*parts))


def jsapi_signature(ticket: str, nonce: str, timestamp: int | str, *, url: str) -> str:
    """The JS-SDK's ``wx.config`` signature for a page, whose URL counts without fragment."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    return _sha1_of(text.encode())


def _sha1_of(content: bytes) -> str:
    hashed = _NOTHING_HASHED.copy()
    hashed.update(content)
    return hashed.hexdigest()
