"""`/cgi-bin/message/template/send`: every refusal WeChat has, one delivery per client_msg_id.

The true result comes later, as the event TEMPLATESENDJOBFINISH.
"""

from collections.abc import Mapping
from typing import Any

from wechat_sandbox import chat, fans, outbox
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.api.templates import Template, find_template, kind_of
from wechat_sandbox.api.users import person_of
from wechat_sandbox.deliveries import owe

CLIENT_MSG_ID_MAX = 32
TEMPLATE_ID_MAX = 64
URL_MAX = 2048
FINISHED = "TEMPLATESENDJOBFINISH"


@endpoint("POST", "/cgi-bin/message/template/send", daily_limit=100_000)
def send_template(call: ApiCall) -> Answer:
    account, tx, body = call.account, call.tx, call.body
    person = person_of(tx, account, body.get("touser"))
    openid = str(body["touser"])
    template = _template(call)
    url = _url(body.get("url"))
    client_msg_id = read_client_msg_id(body)
    fields = _filled(template, body.get("data"))
    if not fans.is_following(tx, account=account.slug, person=person):
        raise WeChatError(43004)
    repeat = outbox.find_repeat(
        tx, account=account.slug, openid=openid, api="template", client_msg_id=client_msg_id
    )
    if repeat is not None:
        return {"errcode": 0, "errmsg": "ok", "msgid": repeat}
    shown: dict[str, Any] = {
        "type": "template",
        "template_id": template.template_id,
        "title": template.title,
        "url": url,
        "fields": fields,
    }
    if isinstance(body.get("miniprogram"), Mapping):
        shown["miniprogram"] = dict(body["miniprogram"])
    msgid = outbox.accept(
        tx,
        account=account.slug,
        person=person,
        openid=openid,
        api="template",
        client_msg_id=client_msg_id,
        body=dict(body),
    )
    _deliver(call, person, openid=openid, msgid=msgid, shown=shown)
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def _template(call: ApiCall) -> Template:
    """Raises WeChatError 40036, 40037."""
    template_id = call.text("template_id", missing=40037)
    if len(template_id) > TEMPLATE_ID_MAX:
        raise WeChatError(40036)
    template = find_template(call.tx, account=call.account.slug, template_id=template_id)
    if template is None:
        raise WeChatError(40037)
    return template


def _url(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WeChatError(47001)
    if len(value) > URL_MAX:
        raise WeChatError(40039)
    return value


def read_client_msg_id(body: Mapping[str, Any]) -> str | None:
    """The caller's own id for the message. Raises WeChatError 40097 for one WeChat cannot keep."""
    value = body.get("client_msg_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > CLIENT_MSG_ID_MAX:
        raise WeChatError(40097)
    return value


def _filled(template: Template, data: Any) -> list[dict[str, str]]:
    """The template's rows with the values given. Raises WeChatError 47001, 47003."""
    if not isinstance(data, Mapping):
        raise WeChatError(47001)
    rows = []
    for field in template.fields:
        key = field["key"]
        entry = data.get(key, {})
        value = entry.get("value", "") if isinstance(entry, Mapping) else None
        if not isinstance(value, str):
            raise WeChatError(47001)
        if not value.strip():
            # The misspelling is WeChat's own.
            raise WeChatError(47003, f"argument invalid! data.{key}.value is emtpy")
        if not kind_of(key).accepts(value):
            raise WeChatError(47003, f"argument invalid! data.{key}.value invalid")
        rows.append({"key": key, "label": field["label"], "value": value})
    return rows


def _deliver(call: ApiCall, person: str, *, openid: str, msgid: int, shown: dict[str, Any]) -> None:
    """Show it on the phone, unless the person refuses the account, and report the result later."""
    account, tx = call.account, call.tx
    refused = fans.is_refusing(tx, account=account.slug, person=person)
    if not refused:
        chat.add_message(
            tx,
            account=account.slug,
            person=person,
            direction="in",
            kind="template",
            body=shown | {"msgid": msgid},
        )
    event = owe(
        tx,
        account=account.slug,
        person=person,
        trigger=FINISHED,
        message={
            "ToUserName": account.original_id,
            "FromUserName": openid,
            "CreateTime": int(tx.now),
            "MsgType": "event",
            "Event": FINISHED,
            "MsgID": msgid,
            "Status": "failed:user block" if refused else "success",
        },
    )
    call.sandbox.push_after_commit(tx, event)
