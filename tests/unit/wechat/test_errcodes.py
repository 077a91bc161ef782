"""Error codes: what is tried again, what never, what somebody must set; each with words."""

import pytest

from o2o.web.copy import LANGUAGES
from o2o.wechat.errcodes import Verdict, advice_for, advice_key
from tests.factories.wechat import WORDS


@pytest.mark.parametrize(
    "errcode, verdict",
    [
        (-1, Verdict.LATER),
        (45009, Verdict.LATER),
        (45011, Verdict.LATER),
        (61450, Verdict.LATER),
        (999_999_999, Verdict.LATER),
        (43004, Verdict.NEVER),
        (43101, Verdict.NEVER),
        (45015, Verdict.NEVER),
        (45047, Verdict.NEVER),
        (47003, Verdict.NEVER),
        (40003, Verdict.NEVER),
        (70000, Verdict.NEVER),
        (40001, Verdict.CONFIGURATION),
        (40125, Verdict.CONFIGURATION),
        (40164, Verdict.CONFIGURATION),
        (40037, Verdict.CONFIGURATION),
        (48001, Verdict.CONFIGURATION),
    ],
)
def test_verdicts(errcode: int, verdict: Verdict) -> None:
    assert advice_for(errcode).verdict is verdict


@pytest.mark.parametrize("errcode", [-1, 40001, 40164, 43004, 45009, 45015, 47003, 48001])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_important_codes_have_words(errcode: int, language: str) -> None:
    assert WORDS.text(f"{advice_key(errcode)}.title", language)
    assert WORDS.text(f"{advice_key(errcode)}.action", language)
