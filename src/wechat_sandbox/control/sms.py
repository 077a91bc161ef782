"""Control API: text messages, as a provider would deliver them, and the inbox of a phone."""

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from wechat_sandbox import text_messages
from wechat_sandbox.control.access import get_person
from wechat_sandbox.sandbox import Sandbox


class SendText(msgspec.Struct, forbid_unknown_fields=True):
    phone: Annotated[str, msgspec.Meta(pattern=r"^1[0-9]{10}$")]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    sender: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "SMS"
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


@post("/sms")
async def send_text(data: SendText, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """A provider takes a message; sent again under the same id it is delivered once."""
    with sandbox.database.transaction() as tx:
        is_new = text_messages.receive(
            tx,
            phone=data.phone,
            sender=data.sender,
            content=data.text,
            message_id=data.message_id,
        )
    return {"accepted": True, "repeated": not is_new}


@get("/people/{person_id:str}/sms")
async def show_texts(person_id: str, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        return {"messages": text_messages.inbox(tx, get_person(tx, person_id))}


ROUTES = [send_text, show_texts]
