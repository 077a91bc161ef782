"""XML on the wire: whatever is written is read back, and nothing clever is read at all."""

from typing import Any

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from wechat_sandbox import wire_xml

# What a person can type: anything but the characters that XML cannot hold, which are dropped.
TYPED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
)


@given(TYPED)
def test_any_text_comes_back(text: str) -> None:
    written = wire_xml.build({"Content": text, "MsgId": 2**63 - 1})
    assert wire_xml.parse(written) == {"Content": text.strip(), "MsgId": str(2**63 - 1)}
    assert wire_xml.parse(written.encode()) == wire_xml.parse(written)


@given(st.text())
def test_any_text_at_all_makes_xml_that_others_read(text: str) -> None:
    xmltodict.parse(wire_xml.build({"Content": text}))


def test_text_is_utf_8_whatever_the_document_claims() -> None:
    claimed = '<?xml version="1.0" encoding="no-such"?><xml><a>好</a></xml>'.encode()
    assert wire_xml.parse(claimed) == {"a": "好"}


def test_nesting_and_lists() -> None:
    fields: dict[str, Any] = {"Info": {"A": "1", "B": 2}, "List": ["a", {"N": 1}], "Flag": True}
    assert wire_xml.parse(wire_xml.build(fields)) == {
        "Info": {"A": "1", "B": "2"},
        "List": {"item": ["a", {"N": "1"}]},
        "Flag": "true",
    }


@pytest.mark.parametrize(
    "document",
    [
        "",
        "success",
        "<a><b/></a>",
        "<xml></xml>",
        "<xml>text</xml>",
        "<xml><a></xml>",
        "<xml><a/></xml><xml/>",
        '<!DOCTYPE x [<!ENTITY e "boom">]><xml><a>&e;</a></xml>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><a>1</a></xml>',
        "<xml><a>&unknown;</a></xml>",
        "<xml>" + "<a>" * 20 + "</a>" * 20 + "</xml>",
        b"\xff\xfe",
        '{"ToUserName": "x"}',
    ],
)
def test_what_is_not_wechats_xml(document: str | bytes) -> None:
    with pytest.raises(wire_xml.BadXml):
        wire_xml.parse(document)


@pytest.mark.parametrize("name", ["a b", "", "1a", "a><b", "a" * 65])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(wire_xml.BadXml):
        wire_xml.build({name: "x"})
