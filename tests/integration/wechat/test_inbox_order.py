"""A batch goes into the inbox by its keys, so that two with the same messages cannot deadlock."""

from random import Random

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.wechat.codec.envelope import Query
from o2o.wechat.inbox import Received, receive
from o2o.wechat.queries.inbox import keep_answered, keep_messages
from tests.factories.wechat import Pusher, text_fields
from tests.fakes.clock import NOON

COUNT = 50


@pytest.mark.parametrize("is_careful", [False, True])
async def test_whatever_the_order_of_arrival_rows_are_inserted_by_their_keys(
    pusher: Pusher, sessions: SessionFactory, is_careful: bool
) -> None:
    batch: list[Received] = [
        receive(
            pusher.account,
            {tag: str(value) for tag, value in text_fields(pusher.account, msg_id=n).items()},
            query=Query(timestamp="1700000000", nonce=f"n{n}"),
            received_at=NOON,
        )
        for n in range(1, COUNT + 1)
    ]
    Random(3).shuffle(batch)
    async with transaction(sessions) as tx:
        if is_careful:
            assert len(await keep_messages(tx, batch)) == COUNT
        else:
            assert await keep_answered(tx, [(one, None) for one in batch])
        kept = await tx.execute(text("SELECT message_key FROM inbound_messages ORDER BY id"))
        keys = [bytes(row.message_key) for row in kept]
    assert keys == sorted(one.place[1] for one in batch)
