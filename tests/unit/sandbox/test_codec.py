"""The sandbox's envelope against wechatpy's, both ways, and against damage."""

import base64

import pytest
import wechatpy.crypto
from hypothesis import given
from hypothesis import strategies as st

from wechat_sandbox import codec, ids

KEY = ids.new_encoding_aes_key()
APPID = "wx0123456789abcdef"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)


def oracle() -> wechatpy.crypto.PrpCrypto:
    return wechatpy.crypto.PrpCrypto(base64.b64decode(KEY + "="))


@given(TEXTS)
def test_wechatpy_opens_what_we_seal(text: str) -> None:
    sealed = codec.encrypt(text, encoding_aes_key=KEY, appid=APPID)
    assert oracle().decrypt(sealed, APPID) == text


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_we_open_what_wechatpy_seals(text: str) -> None:
    sealed = oracle().encrypt(text, APPID).decode()
    assert codec.decrypt(sealed, encoding_aes_key=KEY, appid=APPID) == text


@given(TEXTS, st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_never_passes_as_something_else(text: str, where: int, flip: int) -> None:
    """CBC alone does not authenticate; msg_signature does. Here: no crash, no other appid."""
    sealed = bytearray(base64.b64decode(codec.encrypt(text, encoding_aes_key=KEY, appid=APPID)))
    sealed[where % len(sealed)] ^= flip
    damaged = base64.b64encode(bytes(sealed)).decode()
    try:
        codec.decrypt(damaged, encoding_aes_key=KEY, appid=APPID)
    except codec.BadEnvelope:
        return


@pytest.mark.parametrize("sealed", ["", "AAAA", "*", "A" * 64, "é"])
def test_nonsense_is_refused(sealed: str) -> None:
    with pytest.raises(codec.BadEnvelope):
        codec.decrypt(sealed, encoding_aes_key=KEY, appid=APPID)


def test_another_appid_is_refused() -> None:
    sealed = codec.encrypt("x", encoding_aes_key=KEY, appid="wxffffffffffffffff")
    with pytest.raises(codec.BadEnvelope):
        codec.decrypt(sealed, encoding_aes_key=KEY, appid=APPID)


def test_the_official_signature_sample() -> None:
    """From the official message-push page."""
    given_signature = codec.signature("AAAAA", "1714037059", "486452656")
    assert given_signature == "899cf89e464efb63f54ddac96b0a0a235f53aa78"


def test_keys_have_32_bytes() -> None:
    for _ in range(50):
        key = ids.new_encoding_aes_key()
        assert len(key) == 43
        assert len(base64.b64decode(key + "=")) == 32
