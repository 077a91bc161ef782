"""Codes with a scene: `/cgi-bin/qrcode/create`. The picture itself is drawn by `pages.pictures`."""

from collections.abc import Mapping
from typing import Any

from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.qrcodes import PERMANENT_ACTIONS, PERMANENT_SCENE_ID_MAX, create_code

EXPIRE_SECONDS_DEFAULT = 60
EXPIRE_SECONDS_MAX = 2_592_000
SCENE_ID_MAX = 2**32 - 1
SCENE_STR_MAX = 64
NUMBER_ACTIONS = frozenset({"QR_SCENE", "QR_LIMIT_SCENE"})
TEXT_ACTIONS = frozenset({"QR_STR_SCENE", "QR_LIMIT_STR_SCENE"})


@endpoint("POST", "/cgi-bin/qrcode/create", daily_limit=100_000)
def create_qrcode(call: ApiCall) -> Answer:
    action = call.body.get("action_name")
    if not isinstance(action, str) or action not in NUMBER_ACTIONS | TEXT_ACTIONS:
        raise WeChatError(40052)
    info = call.body.get("action_info")
    if not isinstance(info, Mapping):
        raise WeChatError(40053)
    scene_id, scene_str = _scene(action, info)
    expires_at, seconds = None, 0
    if action not in PERMANENT_ACTIONS:
        seconds = _expire_seconds(call.body.get("expire_seconds", EXPIRE_SECONDS_DEFAULT))
        expires_at = call.tx.now + seconds
    code = create_code(
        call.tx,
        account=call.account.slug,
        action_name=action,
        scene_id=scene_id,
        scene_str=scene_str,
        expires_at=expires_at,
    )
    answer: Answer = {"ticket": code.ticket, "url": code.text}
    if seconds:
        answer["expire_seconds"] = seconds
    return answer


def _scene(action: str, info: Mapping[str, Any]) -> tuple[int, str]:
    """The scene's number and text. Raises WeChatError 40053."""
    scene = info.get("scene")
    if scene is None:
        # WeChat accepts a body without the `scene` wrapper and makes a code for scene 0 of it.
        return 0, ""
    if not isinstance(scene, Mapping):
        raise WeChatError(40053)
    if action in TEXT_ACTIONS:
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= SCENE_STR_MAX:
            raise WeChatError(40053)
        return 0, text
    number = scene.get("scene_id")
    largest = PERMANENT_SCENE_ID_MAX if action in PERMANENT_ACTIONS else SCENE_ID_MAX
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= largest:
        raise WeChatError(40053)
    return number, ""


def _expire_seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise WeChatError(40097)
    return min(value, EXPIRE_SECONDS_MAX)
