"""What people do: follow, unfollow, write, tap, scan; each changes state and owes a callback."""

from dataclasses import dataclass
from typing import Any

from wechat_sandbox import allowances, chat, fans, qrcodes, wire_xml
from wechat_sandbox.accounts import Account
from wechat_sandbox.database import Transaction
from wechat_sandbox.deliveries import Delivery, owe
from wechat_sandbox.inbound import CLICK_EVENTS, BadInput, Inbound, envelope
from wechat_sandbox.people import openid_of
from wechat_sandbox.qrcodes import QRCode


class NotFollowing(Exception):
    """Only a follower can write to an account or tap its menu."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Lets a test choose what WeChat would: the MsgId and CreateTime of an earlier message."""

    msg_id: int | None = None
    create_time: int | None = None
    is_forced: bool = False


def perform(
    tx: Transaction,
    account: Account,
    person: str,
    *,
    inbound: Inbound,
    replay: Replay | None = None,
) -> Delivery:
    """Write the act into the chat, open its window and owe the callback.

    Raises NotFollowing, BadInput.
    """
    replay = replay or Replay()
    needs_following = not inbound.is_event or inbound.trigger in CLICK_EVENTS
    following = fans.is_following(tx, account=account.slug, person=person)
    if needs_following and not following and not replay.is_forced:
        raise NotFollowing
    _add_ticket(tx, account, inbound)
    message = envelope(
        inbound,
        original_id=account.original_id,
        openid=openid_of(tx, account=account.slug, person=person),
        now=tx.now,
        msg_id=replay.msg_id,
        create_time=replay.create_time,
    )
    try:
        wire_xml.build(message)
    except wire_xml.BadXml as error:
        raise BadInput(str(error)) from error
    _apply_follow_event(tx, account, person=person, inbound=inbound)
    if inbound.grant is not None:
        allowances.grant(tx, account=account.slug, person=person, kind=inbound.grant)
    if inbound.shown:
        chat.add_message(
            tx,
            account=account.slug,
            person=person,
            direction="out",
            kind=str(inbound.shown["type"]),
            body=inbound.shown,
        )
    return owe(tx, account=account.slug, person=person, trigger=inbound.trigger, message=message)


def _add_ticket(tx: Transaction, account: Account, inbound: Inbound) -> None:
    """A scan described by its scene alone gets the ticket that a code of this scene has."""
    scene = str(inbound.fields.get("EventKey", ""))
    if inbound.trigger == "subscribe":
        scene = scene.removeprefix(qrcodes.FOLLOW_PREFIX) if qrcodes.FOLLOW_PREFIX in scene else ""
    elif inbound.trigger != "SCAN":
        return
    if scene and "Ticket" not in inbound.fields:
        code = qrcodes.code_for_scene(tx, account=account.slug, scene=scene)
        inbound.fields["Ticket"] = code.ticket


def _apply_follow_event(
    tx: Transaction, account: Account, *, person: str, inbound: Inbound
) -> None:
    """A replayed subscribe or unsubscribe event changes who follows, as the first one did."""
    if inbound.trigger == "unsubscribe":
        fans.unfollow(tx, account=account.slug, person=person)
        allowances.close_all(tx, account=account.slug, person=person)
    elif inbound.trigger == "subscribe" and not fans.is_following(
        tx, account=account.slug, person=person
    ):
        fans.follow(tx, account=account.slug, person=person)


def follow(
    tx: Transaction, account: Account, person: str, *, code: QRCode | None = None
) -> Delivery | None:
    """Follow, by the account's own code or by a scene code; already following, a scene is a SCAN.

    None when nothing is pushed: a follower who scans the account's own code only opens the chat.
    """
    scene_fields = {} if code is None else {"Ticket": code.ticket}
    if fans.is_following(tx, account=account.slug, person=person):
        if code is None:
            return None
        fields = {"Event": "SCAN", "EventKey": code.scene_value} | scene_fields
        inbound = Inbound("SCAN", fields, _shown_event("SCAN", code.scene_value))
        return perform(tx, account, person, inbound=inbound)
    event_key = "" if code is None else f"{qrcodes.FOLLOW_PREFIX}{code.scene_value}"
    fans.follow(
        tx,
        account=account.slug,
        person=person,
        scene_id=0 if code is None else code.scene_id,
        scene_str="" if code is None else code.scene_str,
    )
    fields = {"Event": "subscribe", "EventKey": event_key} | scene_fields
    inbound = Inbound("subscribe", fields, _shown_event("subscribe", event_key))
    return perform(tx, account, person, inbound=inbound)


def unfollow(tx: Transaction, account: Account, person: str) -> Delivery | None:
    """Stop following; None when there was nothing to stop."""
    if not fans.is_following(tx, account=account.slug, person=person):
        return None
    fields = {"Event": "unsubscribe", "EventKey": ""}
    inbound = Inbound("unsubscribe", fields, _shown_event("unsubscribe", ""))
    return perform(tx, account, person, inbound=inbound)


def _shown_event(event: str, event_key: str) -> dict[str, Any]:
    return {"type": "event", "event": event, "event_key": event_key}
