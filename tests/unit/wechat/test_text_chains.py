"""The chain of a text: who is asked in which order, however often texts came before."""

from collections.abc import Sequence
from typing import Any

import pytest

from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.envelope import AccountKeys
from o2o.wechat.codec.messages import TextMessage, VoiceMessage
from o2o.wechat.official_account import Account
from o2o.wechat.router import ChatRouter, Stage
from tests.factories.wechat import WORDS
from tests.fakes.clock import NOON


def account(slug: str) -> Account:
    keys = AccountKeys(appid="wx1", original_id="gh_1", token="t")
    return Account(
        id=new_id(),
        slug=slug,
        brand_id=new_id(),
        appid="wx1",
        original_id="gh_1",
        name=slug,
        place_word="店",
        secret="s",
        keys=keys,
        message_datum="gcj02",
        event_datum="wgs84",
    )


HOUSE, OTHER = account("house"), account("other")


def ask(**changes: Any) -> Ask:
    message = TextMessage("gh_1", "o1", 1, 1, {}, "你好")
    given: dict[str, Any] = {
        "account": HOUSE,
        "openid": "o1",
        "fan_id": new_id(),
        "member_id": None,
        "message": message,
        "text": "你好",
        "now": NOON,
        "locale": "zh_CN",
    }
    return Ask(**given | changes)


class Somebody:
    """An answerer with a name."""

    async def answer(self, _: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        return [None for _ in asks]


@pytest.fixture
def router() -> ChatRouter:
    return ChatRouter(WORDS)


def test_whoever_registers_later_is_asked_from_then_on(router: ChatRouter) -> None:
    default = router.standard.default
    assert router.chain_of(ask()) == (default,)
    keyword, placed, named = (Somebody().answer for _ in range(3))
    router.stage(Stage.KEYWORD, keyword)
    assert router.chain_of(ask()) == (keyword, default)
    router.on(TextMessage, placed)
    assert router.chain_of(ask()) == (placed, keyword, default)
    router.command("balance", named)
    assert router.chain_of(ask(command="balance")) == (named, placed, keyword, default)
    assert router.chain_of(ask()) == (placed, keyword, default)


def test_a_chain_is_that_of_its_kind_and_account(router: ChatRouter) -> None:
    default = router.standard.default
    for_texts, for_voices, for_other = (Somebody().answer for _ in range(3))
    router.on(TextMessage, for_texts)
    router.on(VoiceMessage, for_voices)
    router.on(TextMessage, for_other, account_slug="other")
    spoken = VoiceMessage("gh_1", "o1", 1, 2, {}, media_id="m", format="amr", recognition="你好")
    for _ in range(2):
        assert router.chain_of(ask()) == (for_texts, default)
        assert router.chain_of(ask(message=spoken)) == (for_voices, default)
        assert router.chain_of(ask(account=OTHER)) == (for_other, for_texts, default)
