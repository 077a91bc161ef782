"""What is sealed opens only in its place; what is logged holds no secret and no whole number."""

import pytest

from o2o.infra.logging import scrub
from o2o.infra.seal import Seal, SealBroken

SEAL = Seal("one secret key that is long enough")


def test_a_sealed_value_opens_under_its_own_label_only() -> None:
    sealed = SEAL.seal("app secret", label="wx1:secret")
    assert b"app secret" not in sealed
    assert SEAL.unseal(sealed, label="wx1:secret") == "app secret"
    with pytest.raises(SealBroken):
        SEAL.unseal(sealed, label="wx2:secret")
    with pytest.raises(SealBroken):
        SEAL.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), label="wx1:secret")
    with pytest.raises(SealBroken):
        Seal("another secret key that is long").unseal(sealed, label="wx1:secret")


def test_equal_values_seal_differently_and_hash_equally_within_one_use() -> None:
    assert SEAL.seal("x", label="l") != SEAL.seal("x", label="l")
    assert SEAL.hash_of("x", use="session") == SEAL.hash_of("x", use="session")
    assert SEAL.hash_of("x", use="session") != SEAL.hash_of("x", use="csrf")
    # What was hashed years ago is still recognised.
    assert SEAL.hash_of("x", use="session").hex() == (
        "2f6cd31be76b23b1c1538d7250ed9e968192cdd37d247b381d02588f5c34f5b4"
    )


def test_logs_hide_secrets_codes_and_phone_numbers_however_deep() -> None:
    scrubbed = scrub(
        {
            "appsecret": "abc",
            "nested": {"access_token": "t", "note": "call 13812345678 now"},
            "scanned": ["90123456789012345678"],
            "url": "https://x/cgi-bin/token?appid=wx&secret=abcdef&x=1",
            "error_code": "code.expired",
        }
    )
    assert scrubbed == {
        "appsecret": "[hidden]",
        "nested": {"access_token": "[hidden]", "note": "call 138****5678 now"},
        "scanned": ["90[hidden]"],
        "url": "https://x/cgi-bin/token?appid=wx&secret=[hidden]&x=1",
        "error_code": "code.expired",
    }
