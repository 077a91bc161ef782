"""Which requests go to the callback application."""

import pytest

from o2o.wechat.callback import is_callback_path


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/wechat/a-b/callback", True),
        ("/wechat//callback", True),
        ("/wechat/a/oauth/callback", False),
        ("/wechat/callback", False),
        ("/wechat/a/callback/", False),
        ("/h5/a/callback", False),
    ],
)
def test_paths(path: str, expected: bool) -> None:
    assert is_callback_path(path) is expected
