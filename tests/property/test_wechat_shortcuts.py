"""What is usual has a reading of its own, which agrees with the general one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from o2o.wechat.codec.envelope import parse_query
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.codec.xml import parse_xml

any_text = st.text(st.characters(exclude_categories=["Cs"]))
words = st.text("abcXYZ0189_-", min_size=1, max_size=12)


@given(
    content=any_text,
    people=st.text("oZ09_-@. é\n", max_size=4),
    space=st.sampled_from(["", "\n", " \t", "\r\n"]),
    number=st.text("09\u0661\uff11 -", max_size=4),
)
def test_a_usual_text_is_read_as_any_other_document(
    content: str, people: str, space: str, number: str
) -> None:
    fields = (
        f"<ToUserName><![CDATA[gh_1]]></ToUserName>{space}"
        f"<FromUserName><![CDATA[{people}]]></FromUserName>{space}"
        f"<CreateTime>1{number}</CreateTime>{space}<MsgType><![CDATA[text]]></MsgType>{space}"
        f"<Content><![CDATA[{content}]]></Content>{space}<MsgId>1{number}</MsgId>{space}"
    )
    xml = f"<xml>{space}{fields}</xml>{space}".encode()
    # What stands before the root is judged by the general reader.
    assert outcome_of(xml) == outcome_of(b'<?xml version="1.0"?>' + xml)


def outcome_of(xml: bytes) -> dict[str, Any] | str:
    """The fields, or why they were refused."""
    try:
        return parse_xml(xml)
    except CallbackRefused as refusal:
        return str(refusal.code)


@given(signature=st.text("0123456789abcdef", min_size=40, max_size=40), nonce=words, openid=words)
def test_a_usual_query_is_read_as_in_any_order(signature: str, nonce: str, openid: str) -> None:
    usual = [f"signature={signature}", "timestamp=1700000000", f"nonce={nonce}", f"openid={openid}"]
    usual += ["encrypt_type=aes", f"msg_signature={signature[::-1]}"]
    read = parse_query("&".join(usual).encode())
    assert read == parse_query("&".join(reversed(usual)).encode())
    assert (read.nonce, read.openid, read.msg_signature) == (nonce, openid, signature[::-1])
