"""Signatures: the same bytes as WeChat's, and nothing forged gets through."""

from o2o.wechat.codec.signature import is_signed, jsapi_signature, sign

OFFICIAL = "899cf89e464efb63f54ddac96b0a0a235f53aa78"


def test_the_official_example_is_reproduced() -> None:
    assert sign("AAAAA", "1714037059", "486452656") == OFFICIAL
    assert is_signed(OFFICIAL, "AAAAA", "1714037059", "486452656")


def test_the_order_of_parts_does_not_count() -> None:
    assert sign("486452656", "AAAAA", "1714037059") == OFFICIAL


def test_a_changed_part_or_signature_fails() -> None:
    assert not is_signed(OFFICIAL, "AAAAA", "1714037060", "486452656")
    assert not is_signed(OFFICIAL, "AAAAB", "1714037059", "486452656")
    assert not is_signed(OFFICIAL.upper(), "AAAAA", "1714037059", "486452656")
    assert not is_signed(OFFICIAL[:-1], "AAAAA", "1714037059", "486452656")
    assert not is_signed("", "AAAAA", "1714037059", "486452656")


def test_an_account_without_token_accepts_nobody() -> None:
    assert not is_signed(sign("", "1714037059", "486452656"), "", "1714037059", "486452656")
    assert not is_signed(sign())


def test_signatures_and_nonces_of_other_scripts_fail_without_raising() -> None:
    assert not is_signed("签名", "AAAAA", "1714037059", "486452656")
    assert not is_signed("\ud800", "AAAAA", "1714037059", "486452656")
    assert not is_signed(OFFICIAL, "AAAAA", "1714037059", "\udc80")
    assert is_signed(sign("AAAAA", "1", "随机"), "AAAAA", "1", "随机")


def test_jsapi_signs_the_page_without_its_fragment() -> None:
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    page = "http://mp.weixin.qq.com?params=value"
    expected = "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    for url in (page, f"{page}#wechat_redirect", f"{page}#/a#b"):
        assert jsapi_signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, url=url) == expected
    assert jsapi_signature(ticket, "Wm3WZYTPz0wzccnW", "1414587457", url=page) == expected
    assert jsapi_signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, url=f"{page}&a=1") != expected
