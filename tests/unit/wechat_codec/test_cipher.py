"""The AES envelope: what it reads, what it writes, and that every fault is one refusal."""

import struct
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from o2o.wechat.codec.cipher import MessageCipher
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from tests.unit.wechat_codec.samples import AES_KEY, APPID

KEY = b64decode(AES_KEY + "=")
RANDOM = b"aaaabbbbccccdddd"


@pytest.fixture
def cipher() -> MessageCipher:
    return MessageCipher(AES_KEY, APPID)


def raw_encrypt(plain: bytes) -> str:
    """AES alone, so that a test can say what stands inside."""
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).encryptor()
    return b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def padded(plain: bytes, block: int = 32) -> bytes:
    size = block - len(plain) % block
    return plain + bytes([size]) * size


def inside(xml: bytes, *, length: int | None = None, appid: str = APPID) -> bytes:
    size = struct.pack(">I", len(xml) if length is None else length)
    return RANDOM + size + xml + appid.encode()


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 27, 28, 29, 30, 59, 60, 61, 500])
def test_what_is_encrypted_is_decrypted_at_every_block_border(
    cipher: MessageCipher, size: int
) -> None:
    xml = bytes(index % 251 for index in range(size))
    encrypt = cipher.encrypt(xml)
    assert len(b64decode(encrypt)) % 32 == 0
    assert cipher.decrypt(encrypt) == xml
    assert cipher.decrypt(encrypt.encode()) == xml


def test_a_full_block_of_padding_is_added_and_removed(cipher: MessageCipher) -> None:
    xml = b"x" * (64 - 20 - len(APPID))
    encrypt = cipher.encrypt(xml, RANDOM)
    assert encrypt == raw_encrypt(inside(xml) + b"\x20" * 32)
    assert cipher.decrypt(encrypt) == xml


def test_random_bytes_differ_each_time(cipher: MessageCipher) -> None:
    assert cipher.encrypt(b"<xml/>") != cipher.encrypt(b"<xml/>")
    assert cipher.encrypt(b"<xml/>", RANDOM) == cipher.encrypt(b"<xml/>", RANDOM)


def test_random_bytes_of_another_length_are_refused(cipher: MessageCipher) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        cipher.encrypt(b"<xml/>", b"short")


def test_padding_to_sixteen_is_read_too(cipher: MessageCipher) -> None:
    xml = b"x" * 5
    plain = padded(inside(xml), 16)
    assert len(plain) % 32 == 16
    assert cipher.decrypt(raw_encrypt(plain)) == xml


GOOD = padded(inside(b"<xml/>"))


@pytest.mark.parametrize(
    "encrypt",
    [
        "",
        "====",
        "not base64!",
        "密文",
        "\ud800",
        "QUJD",
        raw_encrypt(GOOD) + "\n",
        raw_encrypt(GOOD)[:-1],
        raw_encrypt(GOOD) + "QUJD",
        b64encode(b64decode(raw_encrypt(GOOD))[:-1]).decode(),
        b64encode(b64decode(raw_encrypt(GOOD))[:16]).decode(),
        raw_encrypt(GOOD[:-1] + b"\x00"),
        raw_encrypt(GOOD[:-1] + b"\x21"),
        raw_encrypt(GOOD[:-1] + b"\xff"),
        raw_encrypt(GOOD[:-2] + b"\x01" + GOOD[-1:]),
        raw_encrypt(bytes(64)),
    ],
)
def test_bad_base64_blocks_and_padding_are_one_refusal(cipher: MessageCipher, encrypt: str) -> None:
    with pytest.raises(CallbackRefused) as error:
        cipher.decrypt(encrypt)
    assert error.value.code is RefusalCode.DECRYPT_FAILED
    assert error.value.status == 403


@pytest.mark.parametrize("length", [7 + len(APPID), 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_length_past_the_end_is_refused(cipher: MessageCipher, length: int) -> None:
    with pytest.raises(CallbackRefused) as error:
        cipher.decrypt(raw_encrypt(padded(inside(b"<xml/>", length=length))))
    assert error.value.code is RefusalCode.LENGTH_ILLEGAL
    assert error.value.status == 403


def test_nothing_but_padding_has_an_illegal_length(cipher: MessageCipher) -> None:
    with pytest.raises(CallbackRefused) as error:
        cipher.decrypt(raw_encrypt(b"\x20" * 32))
    assert error.value.code is RefusalCode.LENGTH_ILLEGAL


@pytest.mark.parametrize(
    "plain",
    [
        inside(b"<xml/>", appid="wxffffffffffffffff"),
        inside(b"<xml/>", appid=""),
        inside(b"<xml/>", appid=APPID + "0"),
        inside(b"<xml/>", appid=APPID[:-1]),
        inside(b"<xml/>", length=5),
        inside(b"<xml/>", length=0),
        inside(b"<xml/>", length=7),
    ],
)
def test_another_appid_is_refused(cipher: MessageCipher, plain: bytes) -> None:
    with pytest.raises(CallbackRefused) as error:
        cipher.decrypt(raw_encrypt(padded(plain)))
    assert error.value.code is RefusalCode.APPID_MISMATCH
    assert error.value.status == 403


@pytest.mark.parametrize(
    "key",
    ["", "short", AES_KEY[:-1], AES_KEY + "H", AES_KEY[:-1] + "=", AES_KEY[:-1] + " ", "键" * 43],
)
def test_a_malformed_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey is not 43 Base64 characters") as error:
        MessageCipher(key, APPID)
    assert not key or key not in str(error.value)


def test_spare_bits_in_the_last_character_of_a_key_do_not_count() -> None:
    encrypt = MessageCipher("A" * 42 + "A", APPID).encrypt(b"<xml/>", RANDOM)
    assert MessageCipher("A" * 42 + "D", APPID).decrypt(encrypt) == b"<xml/>"


def test_an_empty_appid_is_refused() -> None:
    with pytest.raises(ValueError, match="appid is empty"):
        MessageCipher(AES_KEY, "")
