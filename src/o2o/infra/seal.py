"""Keys derived from the one secret: sealing of credentials, hashing of tokens and codes."""

import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TOKEN_BYTES = 32
# HMAC over SHA-256 (RFC 2104): the key fills a block, and each bit of these is turned in it.
_BLOCK_BYTES = 64
_INNER, _OUTER = 0x36, 0x5C


class SealBroken(Exception):
    """A sealed value does not open: O2O_SECRET_KEY changed, or the row was altered."""


class Seal:
    """Seals what must be read again (AES-256-GCM) and hashes what must only be recognised."""

    def __init__(self, secret_key: str) -> None:
        """Derive one key per use, so that no two uses share one."""
        self._root = hashlib.sha256(secret_key.encode()).digest()
        self._cipher = AESGCM(self._derived("seal"))
        block = self._derived("hash").ljust(_BLOCK_BYTES, b"\0")
        # Begun once for the key: a third of the time of `hmac.digest`, which also lets go of the
        # interpreter each time, so that another thread keeps a loop over many rows waiting.
        self._inner = hashlib.sha256(bytes(byte ^ _INNER for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in block))

    def _derived(self, use: str) -> bytes:
        return hmac.digest(self._root, f"o2o:{use}".encode(), "sha256")

    def seal(self, value: str, *, label: str) -> bytes:
        """Encrypt a credential. `label` names the place it belongs to; it opens nowhere else."""
        return self.seal_bytes(value.encode(), label=label)

    def seal_bytes(self, value: bytes, *, label: str) -> bytes:
        """Encrypt a file, as `seal` does a text."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, label.encode())

    def unseal(self, sealed: bytes, *, label: str) -> str:
        """Decrypt a credential. Raises SealBroken."""
        return self.unseal_bytes(sealed, label=label).decode()

    def unseal_bytes(self, sealed: bytes, *, label: str) -> bytes:
        """Decrypt a file. Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label.encode())
        except InvalidTag as error:
            raise SealBroken(label) from error

    def hash_of(self, secret: str, *, use: str) -> bytes:
        """Hash a token or code with the pepper (HMAC-SHA-256), 32 bytes, apart for each use."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{use}:{secret}".encode())
        outer.update(inner.digest())
        return outer.digest()


def new_token() -> str:
    """Make a secret of 256 bits for a cookie or a key, URL-safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)
