"""The chat's grammar: what people type for a command, and what they say that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.wechat.chat.commands import CommandWords, fold
from o2o.wechat.chat.grammar import CHARS_MAX, Grammar, Tables
from tests.factories.wechat import WORDS

COMMANDS = CommandWords(WORDS)
ZH = WORDS.table("commands", "zh_CN")
GRAMMAR = WORDS.table("grammar", "zh_CN")
ALIKE = {row[0]: row[1:] for row in GRAMMAR["alike"]}
FORGIVING = sorted(set(ZH) - set(GRAMMAR["exact"]))
# Those with a word in which a character may be mistaken for another.
MISTAKABLE = [
    command
    for command in FORGIVING
    if any(len(word) > 1 and not ALIKE.keys().isdisjoint(word) for word in ZH[command]["words"])
]
NOISE = st.text(alphabet=" \t\n\u3000。，！？…～~?!.😊❤", max_size=4)


def named(text: str) -> str | None:
    found = COMMANDS.find(text)
    return found.command if found else None


@pytest.mark.parametrize(
    "command, texts",
    [
        (
            "balance",
            "余额 餘額 余額 余鄂 余额? ？余额 我的余额 查余额 查询一下余额 余额是多少 yue ｙｕｅ",
        ),
        (
            "balance",
            "请问我的余额还有多少 余额查询 额余 余额额 余额😊 帮我看看余额谢谢 我卡里还有多少钱",
        ),
        (
            "points",
            "积分 積分 積份 积份 查积分 我有多少积分 积分查询 请问积分有多少 jifen 会员积分 分积",
        ),
        (
            "statement",
            "账单 帳單 賬單 帐单 賬单 账单呢 查账单 看一下我的账单 流水 消费明细 zhangdan",
        ),
        ("card", "卡 会员卡 會員卡 会员卡在哪 我要办卡 我的会员卡 汇员卡 会圆卡 打开会员卡"),
        (
            "coupons",
            "优惠券 優惠券 优惠卷 优惠劵 优惠圈 优会券 我的优惠券 有没有优惠券 优惠券有哪些 卡券",
        ),
        ("balance", "balance Balence balnace my-balance ｂａｌａｎｃｅ"),
        ("points", "points pionts pointss"),
        ("statement", "statement statements statemnt"),
    ],
)
def test_what_people_type_for_a_command(command: str, texts: str) -> None:
    assert {text: named(text) for text in texts.split()} == dict.fromkeys(texts.split(), command)


@pytest.mark.parametrize(
    "text",
    [
        "订单",
        "菜单",
        "名单",
        "买单",
        "埋单",
        "清单",
        "单子",
        "单张",
        "余地",
        "金额",
        "全额",
        "额外",
        "分数",
        "分享",
        "积木",
        "积极",
        "鱼",
        "月",
        "越",
        "卡吗",
        "卡了",
        "退卡",
        "刷卡",
        "房卡",
        "卡丢了",
        "优惠",
        "有优惠吗",
        "优惠活动",
        "会员日",
        "会议",
        "员工",
        "券吗",
        "优惠多少",
        "可以刷卡吗",
        "余额怎么用",
        "余额可以退吗",
        "没有积分了怎么办",
        "积分兑换什么",
        "我的会员卡丢了怎么办",
        "你们几点开门",
        "我想静静",
        "今天有什么优惠活动",
        "账单不对，我要投诉",
        "余额余额",
        "两张卡可以合并成一张会员卡吗",
        "请把余额退给我，谢谢你们，我已经等了三天了还没有到账",
        "I want my balance back",
        "paints",
        "car",
        "cart",
        "care",
        "what points do you mean",
        "",
        "。",
        "😊",
    ],
)
def test_what_people_say_otherwise(text: str) -> None:
    assert named(text) is None


@given(
    command=st.sampled_from(FORGIVING),
    data=st.data(),
    head=NOISE,
    tail=NOISE,
    before=st.sampled_from(["", *GRAMMAR["before"]]),
    after=st.sampled_from(["", *GRAMMAR["after"]]),
)
def test_politeness_around_a_word_changes_nothing(
    command: str, data: st.DataObject, head: str, tail: str, before: str, after: str
) -> None:
    words = [word for word in ZH[command]["words"] if len(fold(word)) > 1 and not word.isascii()]
    word = data.draw(st.sampled_from(words))
    if len(before + word + after) <= CHARS_MAX:
        assert named(f"{head}{before}{word}{after}{tail}") == command


@given(command=st.sampled_from(MISTAKABLE), data=st.data())
def test_one_slip_of_a_character_is_understood_or_asked_about(
    command: str, data: st.DataObject
) -> None:
    words = [w for w in ZH[command]["words"] if any(c in ALIKE for c in w) and len(w) > 1]
    word = data.draw(st.sampled_from(words))
    places = [at for at, char in enumerate(word) if char in ALIKE]
    at = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from(sorted(ALIKE[word[at]])))
    # Never another command.
    assert named(word[:at] + wrong + word[at + 1 :]) in {command, None}


@given(st.text(alphabet="余额积分账单优惠券会员卡我的查有多少月金订菜名买退怎么用", max_size=14))
def test_a_text_of_such_characters_means_a_command_only_by_its_words(text: str) -> None:
    found = named(text)
    if found is not None:
        stems = {char for word in ZH[found]["words"] for char in word}
        assert stems & set(text)
        assert len(text) <= CHARS_MAX


@given(st.text(max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert named(text) in {*ZH, None}


def test_a_slip_that_could_be_two_words_is_neither() -> None:
    words = {word: COMMANDS.find(word) for word in ("余额", "积分")}
    assert all(words.values())
    tables = Tables.of([{"alike": ["余甲", "积甲"]}])
    both = Grammar(
        {"余x": words["余额"], "积x": words["积分"]},  # type: ignore[dict-item]  # asserted above
        tables,
    )
    assert both.find("甲x") is None


def test_leaving_a_dialogue_is_taken_at_its_word() -> None:
    assert named("退出") == "leave"
    for text in ("请退出", "出退", "退出吧", "我想算了"):
        assert named(text) != "leave", text
