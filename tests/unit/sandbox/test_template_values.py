"""Which values each kind of template keyword takes."""

import pytest

from wechat_sandbox.api.templates import kind_of, library, value_kinds


@pytest.mark.parametrize(
    "key,value",
    [
        ("thing1", "字" * 20),
        ("number3", "3.5"),
        ("number3", "9" * 32),
        ("letter1", "Abc"),
        ("character_string2", "B019-7/x"),
        ("time4", "18:30"),
        ("time4", "2026年10月1日 18:30"),
        ("time4", "2026-10-01 18:30:05"),
        ("time4", "2026年10月1日 18:30~2026年10月1日 20:00"),
        ("time4", "15:01 ~ 16:01"),
        ("date1", "2026年10月1日"),
        ("date1", "2026-10-01 18:30"),
        ("amount2", "58元"),
        ("amount2", "¥58.00"),
        ("amount2", "￥1234567890"),
        ("amount2", "58.00"),
        ("phone_number1", "+86-021-12345678"),
        ("car_number1", "沪A12345"),
        ("name3", "林" * 10),
        ("name3", "Emma Clarke"),
        ("phrase4", "即将到期"),
        ("symbol1", "★☆!"),
    ],
)
def test_taken(key: str, value: str) -> None:
    assert kind_of(key).accepts(value)


@pytest.mark.parametrize(
    "key,value",
    [
        ("thing1", "字" * 21),
        ("number3", "三"),
        ("number3", "9" * 33),
        ("number3", "1元"),
        ("letter1", "a1"),
        ("character_string2", "号019"),
        ("character_string2", "x" * 33),
        ("time4", "25:00"),
        ("time4", "2026年10月1日"),
        ("time4", "今天 18:30"),
        ("date1", "18:30"),
        ("amount2", "¥¥58"),
        ("amount2", "-58元"),
        ("amount2", "12345678901元"),
        ("amount2", "1.元"),
        ("amount2", "58元整"),
        ("phone_number1", "1" * 18),
        ("car_number1", "沪A123456789"),
        ("name3", "林" * 11),
        ("name3", "a" * 21),
        ("phrase4", "即将要到期了"),
        ("phrase4", "soon"),
        ("symbol1", "a"),
    ],
)
def test_refused(key: str, value: str) -> None:
    assert not kind_of(key).accepts(value)


def test_the_library_is_whole() -> None:
    assert [one["name"] for one in library()["43216"]["keywords"]][:4] == [
        "门店",
        "消费金额",
        "账户余额",
        "消费时间",
    ]
    for template in library().values():
        keys = [keyword["key"] for keyword in template["keywords"]]
        assert len(set(keys)) == len(keys)
        for keyword in template["keywords"]:
            assert kind_of(keyword["key"]).accepts(keyword["example"]), keyword
    assert "thing" in value_kinds()
