"""Names and secrets in the shapes WeChat gives them; all random, none derived from a person."""

import base64
import hashlib
import itertools
import secrets
import string

OPENID_ALPHABET = string.ascii_letters + string.digits + "_-"
_message_counter = itertools.count()


def _text(length: int, alphabet: str = OPENID_ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_appid() -> str:
    return f"wx{secrets.token_hex(8)}"


def new_original_id() -> str:
    return f"gh_{secrets.token_hex(6)}"


def new_secret() -> str:
    return secrets.token_hex(16)


def new_callback_token() -> str:
    return _text(24, string.ascii_letters + string.digits)


def new_encoding_aes_key() -> str:
    """43 characters that are the Base64 of 32 bytes without the final `=`."""
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def new_openid(appid: str) -> str:
    """28 characters; like WeChat's, those of one account begin alike."""
    digest = hashlib.sha256(appid.encode()).digest()
    prefix = "".join(OPENID_ALPHABET[byte % 62] for byte in digest[:5])
    return f"o{prefix}{_text(22)}"


def new_unionid() -> str:
    return f"oU{_text(26)}"


def new_access_token() -> str:
    """Long as the real one: programs must be ready to store 512 characters."""
    return f"{secrets.randbelow(90) + 10}_{_text(133)}"


def new_ticket() -> str:
    """Ends in `==` as real QR tickets do, so that a caller who forgets to URL-encode it fails."""
    return f"gQ{_text(82, string.ascii_letters + string.digits)}=="


def new_jsapi_ticket() -> str:
    return f"sM4AOVdWfPE4DxkXGEs8V{_text(64)}"


def new_template_id() -> str:
    return _text(43)


def new_oauth_code() -> str:
    return _text(32, string.ascii_letters + string.digits)


def new_media_id() -> str:
    return _text(64)


def new_message_id(now: float) -> int:
    """A 64-bit number that grows with time and never repeats within one run of the program."""
    return int(now * 1000) * 100_000 + next(_message_counter) % 100_000


def new_rid(now: float) -> str:
    """The request id that ends every error message: three groups of eight hex digits."""
    return f"{int(now):08x}-{secrets.randbits(32):08x}-{secrets.randbits(32):08x}"
