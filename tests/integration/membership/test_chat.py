"""What the account answers about cards: figures for members, a card link for everybody else."""

from collections.abc import Sequence

import msgspec
import pytest

from o2o.crm.members import Fan
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.chat import COUPONS, CardAnswers, register
from o2o.membership.till import Till
from o2o.web.copy import Words
from o2o.wechat.chat.asks import Ask
from o2o.wechat.codec.messages import TextMessage
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.official_account import open_account
from o2o.wechat.router import ChatRouter
from tests.factories.members import Counter, given_balance, given_counter, given_fan, given_member
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.statements import heard_statements

URL = "https://o2o.example"
WORDS = Words()


def ask(at: Counter, fan: Fan, *, seal: Seal, text: str = "", locale: str = "zh_CN") -> Ask:
    account = open_account(at.account, seal)
    message = TextMessage(
        to_user=account.original_id,
        from_user=fan.openid,
        created_at=0,
        msg_id=1,
        raw={},
        content=text,
    )
    return Ask(
        account=account,
        openid=fan.openid,
        fan_id=fan.id,
        member_id=fan.member_id,
        message=message,
        text=text,
        now=NOON,
        locale=locale,
    )


async def answered(tx: Tx, asks: Sequence[Ask]) -> list[str]:
    """The replies of the first one in each ask's chain that gives one, as the router asks them."""
    router = ChatRouter(WORDS)
    register(router, words=WORDS, public_url=URL)
    found = []
    for one in asks:
        named = router.find_command(one.text)
        assert named is not None
        heard = msgspec.structs.replace(one, command=named.command)
        [reply] = await router.chain_of(heard)[0](tx, [heard])
        assert isinstance(reply, TextReply)
        found.append(reply.content)
    return found


async def test_commands_in_chat_tell_a_member_the_figures(
    sessions: SessionFactory, seal: Seal
) -> None:
    at = await given_counter(sessions, seal=seal, balance_fen=0)
    async with transaction(sessions) as tx:
        await given_balance(tx, at.member_id, at.store.id, principal_fen=20_000, bonus_fen=2_050)
        fan = await given_fan(tx, at.account, member_id=at.member_id)
        page = f"{URL}/h5/{at.account.slug}"
        texts = ("余额", "查余额！", "餘額", "积分", "ｂａｌａｎｃｅ")
        told = await answered(tx, [ask(at, fan, seal=seal, text=text) for text in texts])
    balance = (
        f'您的余额为 ¥220.50（本金 ¥200.00，赠送 ¥20.50）。\n<a href="{page}/wallet">查看账单</a>'
    )
    assert told == [
        balance,
        balance,
        balance,
        f'您现有 0 积分。\n<a href="{page}/card">打开会员卡</a>',
        balance,
    ]


async def test_a_fan_without_card_gets_the_link(sessions: SessionFactory, seal: Seal) -> None:
    at = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, at.account)
        texts = ("余额", "积分", "会员卡", "账单")
        told = await answered(tx, [ask(at, fan, seal=seal, text=text) for text in texts])
        [english] = await answered(tx, [ask(at, fan, seal=seal, text="points", locale="en")])
    link = f'<a href="{URL}/h5/{at.account.slug}/card">'
    assert told == [f"您还没有江南小灶的会员卡。\n{link}一键开卡</a>，余额、积分随时可查。"] * 4
    assert english.startswith("You have no member card of 江南小灶 yet.\n" + link)


async def test_card_and_statement(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> None:
    at = await given_counter(
        sessions, seal=seal, balance_fen=10_000, unattended_debit_fen_max=100_000
    )
    till = Till(sessions=sessions, seal=seal, clock=clock)
    for amount_fen in (3_800, 100):
        clock.advance(minutes=30)
        await till.charge(
            request_id=new_request_id(),
            member_id=at.member_id,
            amount_fen=amount_fen,
            by=at.key,
        )
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, at.account, member_id=at.member_id)
        card, statement = await answered(
            tx, [ask(at, fan, seal=seal, text=text) for text in ("会员卡", "账单")]
        )
    assert card.startswith("您的会员卡：普通会员\n卡号 6660 ")
    assert statement.splitlines() == [
        "最近的储值账单：",
        "11-20 13:00 小灶静安寺店 消费 -¥1.00，余额 ¥61.00",
        "11-20 12:30 小灶静安寺店 消费 -¥38.00，余额 ¥62.00",
        "11-20 12:00 小灶静安寺店 充值 +¥100.00，余额 ¥100.00",
        f'<a href="{URL}/h5/{at.account.slug}/wallet">查看全部账单</a>',
    ]


async def test_greeting_knows_who_comes_back(sessions: SessionFactory, seal: Seal) -> None:
    at = await given_counter(sessions, seal=seal)
    answers = CardAnswers(WORDS, public_url=URL)
    async with transaction(sessions) as tx:
        fans = [
            await given_fan(tx, at.account),
            await given_fan(tx, at.account, member_id=at.member_id),
        ]
        replies = await answers.greet(tx, [ask(at, fan, seal=seal) for fan in fans])
    texts = [reply.content for reply in replies if isinstance(reply, TextReply)]
    assert "一键开通会员卡" in texts[0]
    assert texts[1].startswith("欢迎回到江南小灶！您的会员卡还在。")
    assert all(f'<a href="{URL}/h5/{at.account.slug}/card">' in text for text in texts)


async def test_a_batch_takes_as_many_statements_as_one(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await given_counter(sessions, seal=seal)
    answers = CardAnswers(WORDS, public_url=URL)
    statements = heard_statements(sessions, monkeypatch)
    async with transaction(sessions) as tx:
        asks = []
        for _ in range(20):
            member_id = await given_member(tx, at.brand)
            fan = await given_fan(tx, at.account, member_id=member_id)
            asks.append(ask(at, fan, seal=seal))
        statements.clear()
        replies = await answers.told_by(answers.balance)(tx, asks)
        assert len(replies) == 20
        assert len(statements) == 2


async def test_coupons_are_told_by_whoever_issues_them(
    sessions: SessionFactory, seal: Seal
) -> None:
    at = await given_counter(sessions, seal=seal)
    router = ChatRouter(WORDS)
    register(router, words=WORDS, public_url=URL)
    asked = []

    async def tell(_: Tx, asks: Sequence[Ask]) -> Sequence[str | None]:
        asked.append(len(asks))
        return ["满 100 减 20 一张" if one.text == "优惠券" else None for one in asks]

    async with transaction(sessions) as tx:
        member = await given_fan(tx, at.account, member_id=at.member_id)
        nobody = await given_fan(tx, at.account)
        asks = [
            ask(at, member, seal=seal, text="优惠券"),
            ask(at, member, seal=seal, text="優惠券"),
            ask(at, nobody, seal=seal, text="优惠券"),
        ]
        answers = CardAnswers(WORDS, public_url=URL, tellings=router.tellings)
        before = [reply.content for reply in await answers.coupons(tx, asks)]  # type: ignore[union-attr]  # text replies all
        router.tellings.add(COUPONS, tell)
        after = [reply.content for reply in await answers.coupons(tx, asks)]  # type: ignore[union-attr]  # likewise
    link = f'<a href="{URL}/h5/{at.account.slug}/card">'
    none = f"您目前没有优惠券。\n{link}打开会员卡</a>"
    assert before[:2] == [none, none]
    assert before[2].startswith("您还没有")
    assert after == ["满 100 减 20 一张", none, before[2]]
    assert asked == [3]
