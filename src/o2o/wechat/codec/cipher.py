"""The AES envelope around a message: AES-256-CBC with PKCS#7 to 32 bytes, as WeChat defines it."""

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from hmac import compare_digest
from os import urandom
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from o2o.wechat.codec.errors import CallbackRefused, RefusalCode

ENCODING_AES_KEY_LENGTH: Final = 43
KEY_SIZE: Final = 32
AES_BLOCK_SIZE: Final = 16
PAD_BLOCK_SIZE: Final = 32
RANDOM_SIZE: Final = 16
HEADS_DRAWN: Final = 64
LENGTH_END: Final = RANDOM_SIZE + 4

_PADS: Final = tuple(bytes([size]) * size for size in range(PAD_BLOCK_SIZE + 1))


class MessageCipher:
    """Encrypts and decrypts messages of one official account; build it once, for one thread.

    The plaintext is ``random16 + uint32 big-endian length + xml + appid``; the IV is the key's
    first half.

    Setting a context up costs several times the blocks of a message, so one of each kind serves
    all messages, as if they were one long text. In CBC that changes nothing but the first block of
    each plaintext, which is XORed with the block before instead of the IV; and the first block is
    ``random16``, which nobody reads. What goes out starts with 16 fresh random bytes either way.
    """

    __slots__ = ("_appid", "_cipher", "_decryptor", "_encryptor", "_heads")

    def __init__(self, encoding_aes_key: str, appid: str) -> None:
        """Raises ValueError for a key that is not 43 Base64 characters, and for an empty appid."""
        if not appid:
            msg = "appid is empty"
            raise ValueError(msg)
        key = _key_bytes(encoding_aes_key)
        self._appid = appid.encode()
        self._cipher = Cipher(AES(key), CBC(key[:AES_BLOCK_SIZE]))
        self._encryptor = self._cipher.encryptor()
        self._decryptor = self._cipher.decryptor()
        self._heads = _random_heads()

    def encrypt(self, xml: bytes, random16: bytes | None = None) -> str:
        """The Base64 text for ``Encrypt``; with ``random16``, for tests, always the same one."""
        encryptor = self._encryptor if random16 is None else self._cipher.encryptor()
        head = next(self._heads) if random16 is None else random16
        if len(head) != RANDOM_SIZE:
            msg = "random16 is not 16 bytes"
            raise ValueError(msg)
        plain = b"".join((head, len(xml).to_bytes(4, "big"), xml, self._appid))
        # Never 0: a message that fills its last block is followed by a whole block of padding.
        plain += _PADS[PAD_BLOCK_SIZE - len(plain) % PAD_BLOCK_SIZE]
        return b64encode(encryptor.update(plain)).decode("ascii")

    def decrypt(self, encrypt: str | bytes) -> bytes:
        """The XML inside ``Encrypt``. Verify the message signature first.

        Raises CallbackRefused with one status whatever is wrong: decrypt_failed for Base64, block
        size and padding, length_illegal for a length that runs past the end, appid_mismatch for
        another appid.
        """
        plain = self._decrypt_blocks(encrypt)
        content_end = len(plain) - plain[-1]
        is_padded = 0 < plain[-1] <= PAD_BLOCK_SIZE and compare_digest(
            plain[content_end:], _PADS[plain[-1]]
        )
        xml_end = LENGTH_END + int.from_bytes(plain[RANDOM_SIZE:LENGTH_END], "big")
        # Every part is computed before the first is judged, so that the faults cost alike.
        is_ours = compare_digest(plain[xml_end:content_end], self._appid)
        if not is_padded:
            raise CallbackRefused(RefusalCode.DECRYPT_FAILED, "padding")
        if xml_end > content_end:
            raise CallbackRefused(RefusalCode.LENGTH_ILLEGAL, "length runs past the end")
        if not is_ours:
            raise CallbackRefused(RefusalCode.APPID_MISMATCH, "appid")
        return plain[LENGTH_END:xml_end]

    def _decrypt_blocks(self, encrypt: str | bytes) -> bytes:
        """Base64 and AES only, random16 spoilt; at least one padding block long.

        Whole AES blocks suffice: WeChat pads to 32 bytes, some senders that imitate it pad to 16.
        """
        try:
            data = a2b_base64(encrypt, strict_mode=True)
        except ValueError as error:
            # Base64Error is a ValueError, as is the refusal of non-ASCII text.
            reason = "base64" if isinstance(error, Base64Error) else "not ascii"
            raise CallbackRefused(RefusalCode.DECRYPT_FAILED, reason) from None
        if len(data) < PAD_BLOCK_SIZE or len(data) % AES_BLOCK_SIZE:
            raise CallbackRefused(RefusalCode.DECRYPT_FAILED, "block size")
        return self._decryptor.update(data)


def _random_heads() -> Iterator[bytes]:
    """Fresh random bytes for one message after another, from one system call for many."""
    while True:
        drawn = urandom(HEADS_DRAWN * RANDOM_SIZE)
        yield from (drawn[at : at + RANDOM_SIZE] for at in range(0, len(drawn), RANDOM_SIZE))


def _key_bytes(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey. Raises ValueError, which never repeats the key."""
    try:
        # The last character carries two spare bits, which real keys leave set; they are dropped.
        key = a2b_base64(encoding_aes_key + "=", strict_mode=True)
    except ValueError:
        key = b""
    # Both lengths: 42 characters and one "=" of their own are Base64 too, of a shorter key.
    if len(encoding_aes_key) != ENCODING_AES_KEY_LENGTH or len(key) != KEY_SIZE:
        msg = f"EncodingAESKey is not {ENCODING_AES_KEY_LENGTH} Base64 characters"
        raise ValueError(msg)
    return key
