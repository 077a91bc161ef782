"""WeChat's callback cryptography: signatures and the AES envelope of safe and compatible mode.

Facts: the official message-push page. `signature` is SHA-1 over the sorted token, timestamp and
nonce; `msg_signature` adds the ciphertext. The envelope is AES-256-CBC with iv = key[:16], PKCS#7
with a block of 32, over 16 random bytes + length (uint32, big endian) + message + appid.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK_BYTES = 32
RANDOM_BYTES = 16
LENGTH_BYTES = 4


class BadEnvelope(Exception):
    """The ciphertext is not one made with this key for this appid; the argument says why."""


def signature(*parts: str) -> str:
    """SHA-1 in hex over the sorted parts; three parts for `signature`, four for `msg_signature`."""
    # WeChat prescribes SHA-1.
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - prescribed


def same_signature(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _cipher(encoding_aes_key: str) -> Cipher[CBC]:
    key = base64.b64decode(encoding_aes_key + "=")
    return Cipher(AES(key), CBC(key[:16]))


def encrypt(message: str, *, encoding_aes_key: str, appid: str) -> str:
    """The Base64 text that goes into `<Encrypt>`."""
    content = message.encode()
    plain = (
        secrets.token_bytes(RANDOM_BYTES)
        + struct.pack(">I", len(content))
        + content
        + appid.encode()
    )
    padding = BLOCK_BYTES - len(plain) % BLOCK_BYTES
    encryptor = _cipher(encoding_aes_key).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(encrypted: str, *, encoding_aes_key: str, appid: str) -> str:
    """The message inside. Raises BadEnvelope."""
    try:
        sealed = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("not Base64") from error
    if not sealed or len(sealed) % RANDOM_BYTES:
        raise BadEnvelope("not whole blocks")
    decryptor = _cipher(encoding_aes_key).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= BLOCK_BYTES or plain[-padding:] != bytes([padding]) * padding:
        raise BadEnvelope("wrong padding")
    plain = plain[:-padding]
    head = RANDOM_BYTES + LENGTH_BYTES
    if len(plain) < head:
        raise BadEnvelope("too short")
    (length,) = struct.unpack(">I", plain[RANDOM_BYTES:head])
    if len(plain) < head + length:
        raise BadEnvelope("shorter than it says")
    if plain[head + length :] != appid.encode():
        raise BadEnvelope("made for another appid")
    try:
        return plain[head : head + length].decode()
    except UnicodeDecodeError as error:
        raise BadEnvelope("not UTF-8") from error
