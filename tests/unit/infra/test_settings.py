"""Settings: each mistake is named in a sentence, and the demo's values never reach production."""

import pytest

from o2o.infra.settings import SettingsWrong, read_settings

KEY = "k" * 40


def test_the_defaults_need_only_a_secret_key() -> None:
    settings = read_settings({"O2O_SECRET_KEY": KEY})
    assert settings.database_url == ""
    assert settings.wechat_api_url == "https://api.weixin.qq.com"
    assert not settings.demo


@pytest.mark.parametrize(
    "name,value,sentence",
    [
        ("O2O_SECRET_KEY", "short", "at least 32 characters"),
        ("O2O_PORT", "eighty", "whole number"),
        ("O2O_PORT", "-1", "whole number"),
        ("O2O_PUBLIC_URL", "o2o.example.com", "https://o2o.example.com"),
        ("O2O_DATABASE_URL", "mysql://x", "postgresql://"),
        ("O2O_POOL_SIZE", "64", "between 1 and 16"),
        ("O2O_WORKERS", "0", "at least 1"),
        ("O2O_DEMO", "perhaps", "write 1 or 0"),
        ("O2O_WECHAT_API_URL", "http://127.0.0.1:8001", "not WeChat's own host"),
        ("O2O_WECHAT_OAUTH_URL", "https://10.0.0.8", "not WeChat's own host"),
        ("O2O_WECHAT_PAY_URL", "https://localhost", "not WeChat's own host"),
        ("O2O_SECRET_KEY", "demo-" + KEY, "the demo's"),
    ],
)
def test_a_setting_that_cannot_work_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsWrong, match=name) as caught:
        read_settings({"O2O_SECRET_KEY": KEY, name: value})
    assert sentence in str(caught.value)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsWrong) as caught:
        read_settings({"O2O_PORT": "x", "O2O_DEMO": "y"})
    assert len(str(caught.value).splitlines()) == 2


def test_the_demo_may_talk_to_a_stand_in() -> None:
    settings = read_settings(
        {
            "O2O_SECRET_KEY": "demo-" + KEY,
            "O2O_DEMO": "1",
            "O2O_WECHAT_API_URL": "http://127.0.0.1:8001",
        }
    )
    assert settings.wechat_api_url == "http://127.0.0.1:8001"
