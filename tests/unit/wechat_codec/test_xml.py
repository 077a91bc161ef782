"""XML as WeChat sends it: what the parser makes of text, nesting and repetition."""

import pytest

from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.xml import BODY_SIZE_MAX, ELEMENT_COUNT_MAX, parse_outer, parse_xml


def content_of(element: str) -> object:
    return parse_xml(f"<xml>{element}</xml>".encode())["Content"]


def refusal_of(body: bytes) -> tuple[RefusalCode, int]:
    with pytest.raises(CallbackRefused) as error:
        parse_xml(body)
    return error.value.code, error.value.status


def test_repeated_elements_become_lists_and_single_ones_do_not() -> None:
    body = "<xml><a>{}</a></xml>"
    assert parse_xml(body.format("<item>1</item>").encode()) == {"a": {"item": "1"}}
    assert parse_xml(body.format("<item>1</item><item>2</item><item/>").encode()) == {
        "a": {"item": ["1", "2", ""]}
    }
    assert parse_xml(b"<xml><List><b>1</b></List><c/><List><b>2</b></List></xml>") == {
        "List": [{"b": "1"}, {"b": "2"}],
        "c": "",
    }


@pytest.mark.parametrize(
    "body",
    [
        # As long as if nothing had been passed over: the closing tag is counted for the gap.
        b"<xml>abcdef<xml>5</xml>",
        b"<xml><a>1</a>x</xml></xml>",
        b"<xml><a>1</b></xml>",
        b"<xml><a>1</a></xml><b>2</b></xml>",
        b"<xml>x<a>1</a></xml>x",
    ],
)
def test_fields_with_something_between_them_are_broken(body: bytes) -> None:
    assert refusal_of(body)[0] is RefusalCode.XML_BROKEN


def test_words_between_fields_are_passed_over_as_a_parser_does() -> None:
    assert parse_xml(b"<xml><a>1</a>x<b>2</b></xml>") == {"a": "1", "b": "2"}


def test_indentation_around_values_is_dropped() -> None:
    body = b"<xml>\r\n <a> <![CDATA[ gh_1 ]]> </a>\n\t<b>\n 12 \n</b><c> \n </c><d/></xml>\n"
    assert parse_xml(body) == {"a": "gh_1", "b": "12", "c": "", "d": ""}


@pytest.mark.parametrize(
    "element, expected",
    [
        ("<Content><![CDATA[ hi ]]></Content>", " hi "),
        ("<Content>\n  <![CDATA[ hi ]]>\n</Content>", " hi "),
        ("<Content> hi </Content>", " hi "),
        ("<Content><![CDATA[  ]]></Content>", "  "),
        ("<Content> \n </Content>", " \n "),
        ("<Content></Content>", ""),
        ("<Content/>", ""),
        ("<Content><![CDATA[]]></Content>", ""),
        ("<Content>a <![CDATA[b ]]> c</Content>", "a b  c"),
        ("<Content><![CDATA[a]]]]><![CDATA[>b]]></Content>", "a]]>b"),
        ("<Content><![CDATA[ ]]><![CDATA[ x]]></Content>", "  x"),
        ("<Content>&lt;a&gt; &amp; &#x6392;&#38431;</Content>", "<a> & 排队"),
        ("<Content><![CDATA[&lt;<b>]]></Content>", "&lt;<b>"),
        ("<Content><![CDATA[<!DOCTYPE html>]]></Content>", "<!DOCTYPE html>"),
        ("<Content><![CDATA[\U0001f468\u200d\U0001f469 \u202e]]></Content>", "👨\u200d👩 \u202e"),
        ('<Content lang="zh"><![CDATA[x]]></Content>', "x"),
        ("<Content><!-- note -->x<?php y?></Content>", "x"),
    ],
)
def test_content_is_kept_exactly(element: str, expected: str) -> None:
    assert content_of(element) == expected


def test_long_text_is_kept_whole_across_chunks() -> None:
    text = "排队" * 100_000
    assert content_of(f"<Content><![CDATA[{text}]]></Content>") == text


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b"\xef\xbb\xbf",
        b" \r\n\t",
        b'<?xml version="1.0" encoding="utf-8"?>\n',
        b"<?xml version='1.0' encoding='UTF8' standalone='yes'?>",
        b"<?xml version='1.0'?><!-- x --> <?y?>",
    ],
)
def test_every_harmless_prolog_is_read(prolog: bytes) -> None:
    assert parse_xml(prolog + b"<xml><a>1</a></xml>\n<!-- end -->") == {"a": "1"}


def test_a_root_without_children_has_no_fields() -> None:
    assert parse_xml(b"<xml/>") == {}
    assert parse_xml(b"<xml>text</xml>") == {}


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf", b"<?xml version='1.0'?> "])
def test_an_empty_body_is_refused(body: bytes) -> None:
    assert refusal_of(body) == (RefusalCode.BODY_EMPTY, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><a><![CDATA[x</a></xml>",
        b"<xml><a>1</a>",
        b"<xml><a>1</b></xml>",
        b"<xml><a>1</a></xml><xml/>",
        b"<xml><a>1</a></xml>tail",
        b"<xml><a>\x01</a></xml>",
        b"<xml><a>&nbsp;</a></xml>",
        b"<xml><a>a & b</a></xml>",
        b"<XML><a>1</a></XML>",
        b"<message><xml><a>1</a></xml></message>",
        b"<xmlx/>",
        b"plain text",
        b"a=1&b=2",
        b"<",
        b"<!-- unclosed <xml/>",
        b"<?unclosed <xml/>",
        b"<xml><![CDATA[x]]><!DOCTYPE a></xml>",
    ],
)
def test_broken_xml_is_refused(body: bytes) -> None:
    assert refusal_of(body) == (RefusalCode.XML_BROKEN, 400)


LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE xml><xml/>",
        b"<!doctype xml><xml/>",
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]><xml><a>&e;</a></xml>',
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><xml><a>&l11;</a></xml>'.encode(),
        b"<?xml version='1.0'?>\n<!-- <xml> -->\n<!DOCTYPE x [<!ENTITY e 'x'>]><xml>&e;</xml>",
        b"\xef\xbb\xbf<!DOCTYPE x><xml/>",
        b"<!ENTITY e 'x'><xml/>",
        b"<!--><xml>--><!DOCTYPE x><xml/>",
    ],
)
def test_a_document_type_is_refused_unread(body: bytes) -> None:
    assert refusal_of(body) == (RefusalCode.DTD_FORBIDDEN, 400)


def test_the_parser_refuses_a_document_type_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("o2o.wechat.codec.xml._check_prolog", lambda _body: None)
    laughs = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><xml><a>&l11;</a></xml>'.encode()
    assert refusal_of(laughs) == (RefusalCode.DTD_FORBIDDEN, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><a>\xff</a></xml>",
        b"<xml><a>\xed\xa0\x80</a></xml>",
        b"<xml><a>\xc0\x80</a></xml>",
        b"<xml><a>\0</a></xml>",
        b"\0",
        b"<xml><a>x\0",
        b"<xml><a>&#0;</a></xml>",
        b"<xml><a>&#xD800;</a></xml>",
        "<xml><a>排队</a></xml>".encode("gbk"),
        "<xml><a>1</a></xml>".encode("utf-16"),
        "<xml><a>1</a></xml>".encode("utf-16-le"),
        "<xml><a>1</a></xml>".encode("utf-16-be"),
        " \n<!DOCTYPE xml><xml/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='GBK'?><xml><a>1</a></xml>",
        b"<?xml version='1.0' encoding='utf-16'?><xml><a>1</a></xml>",
    ],
)
def test_text_that_is_not_utf8_is_refused(body: bytes) -> None:
    assert refusal_of(body) == (RefusalCode.ENCODING_INVALID, 400)


@pytest.mark.parametrize("body", [b'{"MsgType":"text"}', b" \n[1]", b"\xef\xbb\xbf{}"])
def test_json_is_named_as_such(body: bytes) -> None:
    assert refusal_of(body) == (RefusalCode.JSON_UNSUPPORTED, 400)


def test_size_depth_and_number_of_elements_are_bounded() -> None:
    too_large = (RefusalCode.BODY_TOO_LARGE, 413)
    head, tail = b"<xml><a>", b"</a></xml>"
    full = head + b"x" * (BODY_SIZE_MAX - len(head + tail)) + tail
    assert len(str(parse_xml(full)["a"])) == BODY_SIZE_MAX - len(head + tail)
    assert refusal_of(full + b" ") == too_large
    deep = b"<xml>" + b"<a>" * 7 + b"</a>" * 7 + b"</xml>"
    assert parse_xml(deep) == {"a": {"a": {"a": {"a": {"a": {"a": {"a": ""}}}}}}}
    assert refusal_of(b"<xml>" + b"<a>" * 8 + b"</a>" * 8 + b"</xml>") == too_large
    assert refusal_of(b"<xml>" + b"<a>" * 300_000) == too_large
    wide = b"<a/>" * (ELEMENT_COUNT_MAX - 1)
    assert len(parse_xml(b"<xml>" + wide + b"</xml>")["a"]) == ELEMENT_COUNT_MAX - 1
    assert refusal_of(b"<xml>" + wide + b"<a/></xml>") == too_large


@pytest.mark.parametrize(
    "body",
    [
        (
            b"<xml>\n    <ToUserName><![CDATA[gh_1]]></ToUserName>\n"
            b"    <Encrypt><![CDATA[QUJD+/==]]></Encrypt>\n</xml>\n"
        ),
        b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[QQ==]]></Encrypt></xml>",
        b"<xml><Encrypt>QQ==</Encrypt></xml>",
        b"<xml><Encrypt><![CDATA[QQ==]]></Encrypt><AgentID/><ToUserName>a</ToUserName></xml>",
        b"<xml><ToUserName><![CDATA[&amp;]]></ToUserName><Encrypt><![CDATA[Q]]></Encrypt></xml>",
        b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>",
    ],
)
def test_the_short_way_reads_what_the_parser_reads(body: bytes) -> None:
    assert parse_outer(body) == parse_xml(body)


def test_the_short_way_has_the_same_limits() -> None:
    head = b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA["
    body = head + b"A" * BODY_SIZE_MAX + b"]]></Encrypt></xml>"
    with pytest.raises(CallbackRefused) as error:
        parse_outer(body)
    assert error.value.code is RefusalCode.BODY_TOO_LARGE
