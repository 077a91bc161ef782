"""Control API: what a person writes, sends or taps in an account's chat."""

import asyncio
from typing import Any

from litestar import post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from wechat_sandbox import acts, media
from wechat_sandbox.control.access import Refused, get_account, get_person
from wechat_sandbox.inbound import BadInput, Inbound, read_request
from wechat_sandbox.sandbox import Sandbox

COPIES_MAX = 100
MESSAGE_ID_MAX = 2**63 - 1


def _whole(data: dict[str, Any], name: str, *, largest: int) -> int | None:
    """An optional whole number, also as text, since MsgIds outgrow JavaScript's numbers."""
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
        raise Refused(422, "message.invalid", f"{name} must be a whole number")
    return value


def _inbound(sandbox: Sandbox, data: dict[str, Any]) -> Inbound:
    """Raises Refused 422."""
    try:
        if data.get("type") == "image" and "pic_url" not in data:
            stored = media.store_picture(sandbox, data.get("data_url"))
            data = {**data, "media_id": stored, "pic_url": media.address_of(sandbox, stored)}
            data.pop("data_url", None)
        return read_request(data)
    except BadInput as error:
        raise Refused(422, "message.invalid", str(error)) from error


@post("/people/{person_id:str}/messages", status_code=HTTP_200_OK)
async def send_message(
    person_id: str, data: dict[str, Any], sandbox: NamedDependency[Sandbox]
) -> dict[str, Any]:
    """Deliver one message or event; `copies` delivers the same again, as WeChat's retries do."""
    replay = acts.Replay(
        msg_id=_whole(data, "msg_id", largest=MESSAGE_ID_MAX),
        create_time=_whole(data, "create_time", largest=2**32),
        is_forced=data.get("force") is True,
    )
    copies = _whole(data, "copies", largest=COPIES_MAX)
    copies = 1 if copies is None else max(1, copies)
    with sandbox.database.transaction() as tx:
        person, account = get_person(tx, person_id), get_account(tx, data.get("account"))
    inbound = _inbound(sandbox, data)
    try:
        with sandbox.database.transaction() as tx:
            delivery = acts.perform(tx, account, person.id, inbound=inbound, replay=replay)
    except acts.NotFollowing as error:
        message = f"{person.id} does not follow {account.slug}"
        raise Refused(409, "person.not_following", message) from error
    except BadInput as error:
        raise Refused(422, "message.invalid", str(error)) from error
    if data.get("concurrent") is True:
        outcomes = await asyncio.gather(*(sandbox.courier.post(delivery) for _ in range(copies)))
    else:
        outcomes = [await sandbox.courier.post(delivery) for _ in range(copies)]
    answered = next((outcome for outcome in outcomes if outcome.reply is not None), outcomes[0])
    record = answered.record()
    if copies > 1:
        record["copies"] = [outcome.record() for outcome in outcomes]
    return record


ROUTES = (send_message,)
