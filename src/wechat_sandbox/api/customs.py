"""Customer-service messages: `/cgi-bin/message/custom/send` and `typing`.

Facts: a message from the person allows 5 in 48 hours, a menu tap, a follow or a scan 3 in a minute.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from wechat_sandbox import allowances, chat, fans, outbox
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.api.template_send import read_client_msg_id
from wechat_sandbox.api.users import person_of

TEXT_BYTES_MAX = 2048
ARTICLES_MAX = 1
TYPING_SHOWN_SECONDS = 15


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    if not isinstance(part, Mapping):
        raise WeChatError(47001)
    return part


def _text_in(part: Mapping[str, Any], name: str, *, empty: int | None = None) -> str:
    """A text field; WeChatError(`empty`) where it must not be absent."""
    value = part.get(name, "")
    if not isinstance(value, str):
        raise WeChatError(47001)
    if not value and empty is not None:
        raise WeChatError(empty)
    return value


def _text(body: Mapping[str, Any]) -> dict[str, Any]:
    content = _text_in(_part(body, "text"), "content", empty=44004)
    if len(content.encode()) > TEXT_BYTES_MAX:
        raise WeChatError(45002)
    return {"content": content}


def _media(kind: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def read(body: Mapping[str, Any]) -> dict[str, Any]:
        return {"media_id": _text_in(_part(body, kind), "media_id", empty=40007)}

    return read


def _video(body: Mapping[str, Any]) -> dict[str, Any]:
    video = _part(body, "video")
    return {
        "media_id": _text_in(video, "media_id", empty=40007),
        "thumb_media_id": _text_in(video, "thumb_media_id"),
        "title": _text_in(video, "title"),
        "description": _text_in(video, "description"),
    }


def _music(body: Mapping[str, Any]) -> dict[str, Any]:
    music = _part(body, "music")
    return {
        "title": _text_in(music, "title"),
        "description": _text_in(music, "description"),
        "url": _text_in(music, "musicurl"),
        "hq_url": _text_in(music, "hqmusicurl"),
        "thumb_media_id": _text_in(music, "thumb_media_id", empty=40007),
    }


def _news(body: Mapping[str, Any]) -> dict[str, Any]:
    articles = _part(body, "news").get("articles")
    if not isinstance(articles, list) or not articles:
        raise WeChatError(44003)
    if len(articles) > ARTICLES_MAX:
        raise WeChatError(45008)
    if not all(isinstance(article, Mapping) for article in articles):
        raise WeChatError(47001)
    return {
        "articles": [
            {
                "title": _text_in(article, "title"),
                "description": _text_in(article, "description"),
                "url": _text_in(article, "url"),
                "pic_url": _text_in(article, "picurl"),
            }
            for article in articles
        ]
    }


def _article(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"article_id": _text_in(_part(body, "mpnewsarticle"), "article_id", empty=40007)}


def _menu(body: Mapping[str, Any]) -> dict[str, Any]:
    menu = _part(body, "msgmenu")
    items = menu.get("list")
    if not isinstance(items, list) or not items:
        raise WeChatError(47001)
    choices = []
    for item in items:
        if not isinstance(item, Mapping):
            raise WeChatError(47001)
        choices.append(
            {"id": str(item.get("id", "")), "content": _text_in(item, "content", empty=44004)}
        )
    return {
        "head_content": _text_in(menu, "head_content"),
        "list": choices,
        "tail_content": _text_in(menu, "tail_content"),
    }


_READERS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "text": _text,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _video,
    "music": _music,
    "news": _news,
    "mpnewsarticle": _article,
    "msgmenu": _menu,
}


@endpoint("POST", "/cgi-bin/message/custom/send", daily_limit=500_000)
def send_custom(call: ApiCall) -> Answer:
    account, tx, body = call.account, call.tx, call.body
    person = person_of(tx, account, body.get("touser"))
    openid, kind = str(body["touser"]), body.get("msgtype")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise WeChatError(40008)
    shown = {"type": kind, **read(body)}
    client_msg_id = read_client_msg_id(body)
    repeat = outbox.find_repeat(
        tx, account=account.slug, openid=openid, api="custom", client_msg_id=client_msg_id
    )
    if repeat is not None:
        return {"errcode": 0, "errmsg": "ok"}
    _spend_allowance(call, person)
    msgid = outbox.accept(
        tx,
        account=account.slug,
        person=person,
        openid=openid,
        api="custom",
        client_msg_id=client_msg_id,
        body=dict(body),
    )
    chat.add_message(
        tx,
        account=account.slug,
        person=person,
        direction="in",
        kind="custom",
        body=shown | {"msgid": msgid},
    )
    return {"errcode": 0, "errmsg": "ok"}


def _spend_allowance(call: ApiCall, person: str) -> None:
    """Raises WeChatError 45015, 45047."""
    if not fans.is_following(call.tx, account=call.account.slug, person=person):
        raise WeChatError(45015)
    try:
        allowances.spend(call.tx, account=call.account.slug, person=person)
    except allowances.WindowClosed as error:
        raise WeChatError(45015) from error
    except allowances.CountSpent as error:
        raise WeChatError(45047) from error


@endpoint("POST", "/cgi-bin/message/custom/typing", daily_limit=500_000)
def show_typing(call: ApiCall) -> Answer:
    """Show or hide "typing…" on the phone; only within 30 seconds of an act of the person."""
    tx, account = call.tx, call.account
    person = person_of(tx, account, call.body.get("touser"))
    command = call.body.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise WeChatError(45072)
    since = allowances.seconds_since_act(tx, account=account.slug, person=person)
    if since is None or since > allowances.TYPING_SECONDS:
        raise WeChatError(45080)
    name = f"typing:{account.slug}:{person}"
    row = tx.row("SELECT value FROM facts WHERE name = :name", name=name)
    is_typing = row is not None and json.loads(row["value"]) > tx.now
    if command == "Typing" and is_typing:
        raise WeChatError(45081)
    until = tx.now + TYPING_SHOWN_SECONDS if command == "Typing" else 0
    tx.run(
        "INSERT INTO facts (name, value) VALUES (:name, :value)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name=name,
        value=json.dumps(until),
    )
    tx.notify("typing", account=account.slug, person=person, is_typing=command == "Typing")
    return {"errcode": 0, "errmsg": "ok"}
