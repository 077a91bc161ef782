"""What the worker does for WeChat: sends messages, reads new fans, sweeps what is over."""

from datetime import datetime

from o2o.crm.statuses import DeliveryChannel
from o2o.infra.database import Tx
from o2o.infra.outbox import Errand, send
from o2o.infra.subscriptions import Registry
from o2o.wechat import fan_reader
from o2o.wechat.actions.keep_dialogues import expire_dialogues
from o2o.wechat.actions.oauth_states import sweep_states
from o2o.wechat.actions.queue_messages import TOPICS, URGENT_TOPIC
from o2o.wechat.events import FanFollowed
from o2o.wechat.fan_reader import FanReader
from o2o.wechat.messenger import Messenger

SWEEP_SECONDS = 300


async def read_new_fan(tx: Tx, event: FanFollowed) -> None:
    """Ask WeChat for the unionid of whoever follows, so that one person is one member."""
    payload = {"account_id": str(event.account_id), "openid": event.openid}
    await send(tx, [Errand(topic=fan_reader.TOPIC, payload=payload)])


async def sweep(tx: Tx, now: datetime) -> None:
    """Drop what nobody can use any more: OAuth states, dialogues left alone."""
    await sweep_states(tx, now)
    await expire_dialogues(tx, now)


def register(registry: Registry, *, messenger: Messenger, reader: FanReader) -> None:
    """Let the relay send messages, read fans and keep house."""
    registry.perform(TOPICS[DeliveryChannel.TEMPLATE], messenger.send_template)
    registry.perform(URGENT_TOPIC, messenger.send_template, is_urgent=True)
    registry.perform(TOPICS[DeliveryChannel.CUSTOM], messenger.send_custom)
    registry.perform(fan_reader.TOPIC, reader.read_fan)
    registry.subscribe(FanFollowed, read_new_fan)
    registry.schedule("wechat.sweep", every_seconds=SWEEP_SECONDS, run=sweep)
