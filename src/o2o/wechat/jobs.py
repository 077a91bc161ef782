"""What the worker does for WeChat: sends messages, reads new fans, renews credentials, sweeps."""

from datetime import datetime

from o2o.crm.statuses import DeliveryChannel
from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.wechat.actions.keep_dialogues import expire_dialogues
from o2o.wechat.actions.oauth_states import sweep_states
from o2o.wechat.actions.queue_messages import TOPICS
from o2o.wechat.messenger import Messenger

SWEEP_SECONDS = 300


async def sweep(tx: Tx, now: datetime) -> None:
    """Drop what nobody can use any more: OAuth states, dialogues left alone."""
    await sweep_states(tx, now)
    await expire_dialogues(tx, now)


def register(registry: Registry, *, messenger: Messenger) -> None:
    """Let the relay send messages and keep house."""
    registry.perform(TOPICS[DeliveryChannel.TEMPLATE], messenger.send_template)
    registry.perform(TOPICS[DeliveryChannel.CUSTOM], messenger.send_custom)
    registry.schedule("wechat.sweep", every_seconds=SWEEP_SECONDS, run=sweep)
