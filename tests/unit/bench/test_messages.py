"""Messages of the bench are what WeChat would send: wechatpy opens them, no MsgId comes twice."""

import re
from urllib.parse import parse_qs

import pytest
from wechatpy.crypto import WeChatCrypto

from bench.messages import Messages, ReplyCheck, new_account


def _opened(request: bytes, crypto: WeChatCrypto) -> str:
    head, _, body = request.partition(b"\r\n\r\n")
    query = parse_qs(head.split(b" ")[1].partition(b"?")[2].decode())
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    assert int(length.group(1)) == len(body)
    opened: str | bytes = crypto.decrypt_message(
        body.decode(), query["msg_signature"][0], query["timestamp"][0], query["nonce"][0]
    )
    return opened if isinstance(opened, str) else opened.decode()


def test_messages_are_signed_encrypted_and_distinct() -> None:
    account = new_account()
    crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
    messages = Messages(account)

    opened = [_opened(request, crypto) for request in messages.requests(3) + messages.requests(2)]

    ids = [re.search(r"<MsgId>(\d+)</MsgId>", xml) for xml in opened]
    assert len({found.group(1) for found in ids if found}) == 5
    assert all(account.original_id in xml for xml in opened)


def _reply(account_token_key: tuple[str, str, str], xml: str) -> bytes:
    crypto = WeChatCrypto(*account_token_key)
    sealed: str = crypto.encrypt_message(xml, "5f3a", "1763611200")
    return sealed.encode()


def test_a_text_reply_of_the_account_passes_and_another_does_not() -> None:
    account = new_account()
    keys = (account.token, account.aes_key, account.appid)
    text = (
        f"<xml><FromUserName><![CDATA[{account.original_id}]]></FromUserName>"
        "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hi]]></Content></xml>"
    )
    check = ReplyCheck(account)

    check(_reply(keys, text))
    with pytest.raises(ValueError, match="not a text reply"):
        check(_reply(keys, text.replace("[text]", "[image]")))
    with pytest.raises(ValueError, match="not a text reply"):
        check(_reply(keys, text.replace(account.original_id, "gh_other")))
    with pytest.raises(Exception, match="Invalid signature"):
        check(_reply(("anothertoken", account.aes_key, account.appid), text))
