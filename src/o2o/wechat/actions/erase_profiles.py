"""Erase what WeChat's profile gave us: on unfollow, revocation of one permission, cancellation.

Revocation codes are WeChat's: 201 address, 202 invoice, 203 card, 204 microphone, 205 nickname and
avatar, 206 location, 207 pictures. Of these we keep nickname, avatar, and the positions and
pictures inside stored messages.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.infra.logging import get_logger
from o2o.wechat.chat.asks import Heard
from o2o.wechat.codec.messages import AuthorizationRevoked

log = get_logger(__name__)

Person = tuple[UUID, str]

NICKNAME_AND_AVATAR = "205"
LOCATION = "206"
PICTURES = "207"
ALL_CODES = frozenset({NICKNAME_AND_AVATAR, LOCATION, PICTURES})
# Permissions whose data this product never asks WeChat for: there is nothing to erase.
NOTHING_KEPT = frozenset({"201", "202", "203", "204"})
_TAGS = {
    LOCATION: (
        "Location_X",
        "Location_Y",
        "Label",
        "Latitude",
        "Longitude",
        "Precision",
        "SendLocationInfo",
    ),
    PICTURES: ("PicUrl", "SendPicsInfo"),
}
# What may be missing of a message that comes again.
ERASABLE_TAGS = frozenset(tag for named in _TAGS.values() for tag in named)

_ERASE_PROFILE = text(
    "UPDATE fans f SET nickname = NULL, avatar_url = NULL"
    " FROM unnest(CAST(:account_ids AS uuid[]), CAST(:openids AS text[])) AS p(account_id, openid)"
    " WHERE f.account_id = p.account_id AND f.openid = p.openid"
)
_ERASE_FIELDS = text(
    "UPDATE inbound_messages m"
    " SET sent = CAST(CAST(m.sent AS jsonb) - CAST(:tags AS text[]) AS json),"
    " fields = m.fields - CAST(:tags AS text[])"
    " FROM unnest(CAST(:account_ids AS uuid[]), CAST(:openids AS text[])) AS p(account_id, openid)"
    " WHERE m.account_id = p.account_id AND m.openid = p.openid"
    " AND coalesce(CAST(m.sent AS jsonb), m.fields) ?| CAST(:tags AS text[])"
)


async def erase_profiles(tx: Tx, people: Sequence[Person], codes: frozenset[str]) -> None:
    """Erase the data behind some permissions, for all these people."""
    if not people:
        return
    who = {"account_ids": [p[0] for p in people], "openids": [p[1] for p in people]}
    if NICKNAME_AND_AVATAR in codes:
        await tx.execute(_ERASE_PROFILE, who)
    tags = [tag for code, named in _TAGS.items() if code in codes for tag in named]
    if tags:
        await tx.execute(_ERASE_FIELDS, {**who, "tags": tags})


async def note_revocations(tx: Tx, heard: Sequence[Heard]) -> None:
    """Erase what a person no longer allows; an unknown code goes to the audit trail for a human."""
    for one in heard:
        assert isinstance(one.message, AuthorizationRevoked)
        person = (one.account.id, one.message.openid)
        named = frozenset(one.message.revoke_info)
        await erase_profiles(tx, [person], named & ALL_CODES)
        unknown = sorted(named - ALL_CODES - NOTHING_KEPT)
        if unknown or not named:
            log.warning("wechat.revocation_unknown", account=one.account.slug, codes=unknown)
            await note(
                tx,
                actor=SYSTEM,
                action="fan.revocation_unknown",
                at=one.now,
                # Never the openid: the trail is append only, and people may ask to be forgotten.
                subject=("fan", one.fan_id) if one.fan_id else None,
                codes=unknown,
            )


async def note_cancellations(tx: Tx, heard: Sequence[Heard]) -> None:
    """Erase the whole profile of people who closed their account with us at WeChat."""
    await erase_profiles(tx, [(one.account.id, one.openid) for one in heard], ALL_CODES)


async def note_changed_profiles(tx: Tx, heard: Sequence[Heard]) -> None:
    """Erase nickname and avatar that are no longer what the person shows; OAuth brings new ones."""
    codes = frozenset({NICKNAME_AND_AVATAR})
    await erase_profiles(tx, [(one.account.id, one.openid) for one in heard], codes)
