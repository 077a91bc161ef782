"""Fans: written down when first seen, following and unfollowing, what is erased and who is told."""

from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from tests.factories.wechat import Pusher, event_fields, text_fields
from tests.fakes.clock import FakeClock
from tests.integration.wechat.conftest import count


async def fan(sessions: SessionFactory, columns: str, openid: str = "oUser") -> tuple[Any, ...]:
    async with sessions() as session:
        row = (
            await session.execute(
                text(f"SELECT {columns} FROM fans WHERE openid = :openid"), {"openid": openid}
            )
        ).one()
        return tuple(row)


async def topics(sessions: SessionFactory) -> list[tuple[str, Any]]:
    async with sessions() as session:
        rows = await session.execute(
            text("SELECT topic, payload->>'scene' FROM outbox_messages ORDER BY id")
        )
        return [(row[0], row[1]) for row in rows]


async def set_profile(sessions: SessionFactory) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE fans SET nickname = '小月', avatar_url = 'https://a/1'"))


async def follow(pusher: Pusher, key: str = "", **more: Any) -> None:
    await pusher.push(event_fields(pusher.account, "subscribe", EventKey=key, **more))


async def test_following_by_a_scene_is_written_down_greeted_and_published(
    pusher: Pusher, sessions: SessionFactory, clock: FakeClock
) -> None:
    fields = event_fields(pusher.account, "subscribe", EventKey="qrscene_door-7", Ticket="t")
    reply = await pusher.ask(fields)
    assert reply is not None
    assert reply.startswith("您好，欢迎关注江南小灶")
    assert await fan(sessions, "is_following, scene, followed_at, unfollowed_at") == (
        True,
        "door-7",
        clock.now(),
        None,
    )
    assert await topics(sessions) == [("fan.followed", "door-7")]


async def test_a_payment_is_no_scene(pusher: Pusher, sessions: SessionFactory) -> None:
    await follow(pusher, "last_trade_no_4200001234")
    assert await fan(sessions, "is_following, scene") == (True, None)


async def test_a_second_subscribe_event_tells_nobody_again(
    pusher: Pusher, sessions: SessionFactory, clock: FakeClock
) -> None:
    await follow(pusher)
    at = clock.now()
    clock.advance(minutes=1)
    await follow(pusher, created_at=1763611260)
    assert await topics(sessions) == [("fan.followed", None)]
    assert await fan(sessions, "followed_at") == (at,)


async def test_unfollowing_erases_the_profile_and_stops(
    pusher: Pusher, sessions: SessionFactory, clock: FakeClock
) -> None:
    await follow(pusher, "qrscene_a")
    await set_profile(sessions)
    location = {
        **text_fields(pusher.account),
        "MsgType": "location",
        "Location_X": "31.2",
        "Location_Y": "121.4",
        "Scale": "15",
        "Label": "静安寺",
    }
    await pusher.push(location)
    clock.advance(hours=1)
    unsubscribe = event_fields(pusher.account, "unsubscribe", EventKey="")
    assert (await pusher.push(unsubscribe)).body == b"success"

    assert await fan(sessions, "is_following, unfollowed_at, nickname, avatar_url") == (
        False,
        clock.now(),
        None,
        None,
    )
    assert await topics(sessions) == [("fan.followed", "a"), ("fan.unfollowed", None)]
    kept = await count(
        sessions,
        "inbound_messages",
        "kind = 'location' AND NOT sent::jsonb ?| array['Location_X', 'Location_Y', 'Label']",
    )
    assert kept == 1


async def test_following_again_is_published_again(
    pusher: Pusher, sessions: SessionFactory, clock: FakeClock
) -> None:
    await follow(pusher, "qrscene_a")
    await pusher.push(event_fields(pusher.account, "unsubscribe", EventKey=""))
    clock.advance(days=1)
    await follow(pusher, created_at=1763697600)
    assert await topics(sessions) == [
        ("fan.followed", "a"),
        ("fan.unfollowed", None),
        ("fan.followed", None),
    ]
    assert await fan(sessions, "is_following, scene, followed_at, unfollowed_at") == (
        True,
        "a",
        clock.now(),
        None,
    )


async def test_a_stranger_who_unfollows_is_not_written_down(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    await pusher.push(event_fields(pusher.account, "unsubscribe", EventKey=""))
    assert await count(sessions, "fans") == 0
    assert await topics(sessions) == []


async def test_whoever_writes_follows_even_if_we_never_saw_it(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    await pusher.push(event_fields(pusher.account, "SCAN", EventKey="x", Ticket="t"))
    assert await fan(sessions, "is_following") == (False,)
    await pusher.push(text_fields(pusher.account))
    assert await fan(sessions, "is_following") == (True,)
    assert await topics(sessions) == []


@pytest.mark.parametrize(
    "event, fields, profile, has_position",
    [
        ("user_authorization_revoke", {"RevokeInfo": "205,206"}, (None, None), False),
        ("user_authorization_revoke", {"RevokeInfo": "205"}, (None, None), True),
        ("user_authorization_revoke", {"RevokeInfo": "206"}, ("小月", "https://a/1"), False),
        ("user_authorization_revoke", {"RevokeInfo": "201"}, ("小月", "https://a/1"), True),
        ("user_authorization_cancellation", {}, (None, None), False),
        ("user_info_modified", {}, (None, None), True),
    ],
)
async def test_what_a_person_no_longer_allows_is_erased_and_nothing_else(
    pusher: Pusher,
    sessions: SessionFactory,
    event: str,
    fields: dict[str, str],
    profile: tuple[str | None, str | None],
    has_position: bool,
) -> None:
    await follow(pusher)
    await set_profile(sessions)
    await pusher.push(
        event_fields(pusher.account, "LOCATION", Latitude="31", Longitude="121", Precision="9")
    )
    ids = {"OpenID": "oUser", "AppID": pusher.account.appid}
    assert (await pusher.push(event_fields(pusher.account, event, **ids, **fields))).status == 200
    assert await fan(sessions, "nickname, avatar_url") == profile
    assert await count(sessions, "inbound_messages", "sent::jsonb ? 'Latitude'") == int(
        has_position
    )
    assert await fan(sessions, "is_following") == (True,)
    assert await count(sessions, "audit_entries") == 0


async def test_an_unknown_revocation_goes_to_a_human(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    await follow(pusher)
    fields = {"OpenID": "oUser", "AppID": pusher.account.appid, "RevokeInfo": "205,999"}
    await pusher.push(event_fields(pusher.account, "user_authorization_revoke", **fields))
    async with sessions() as session:
        rows = await session.execute(text("SELECT action, detail->'codes' FROM audit_entries"))
        assert [tuple(row) for row in rows] == [("fan.revocation_unknown", ["999"])]
