"""The pad's panel of tastes as it is written: warnings, offers with reasons, what is usual."""

from datetime import timedelta
from types import SimpleNamespace

from o2o.membership.queries.taste import Taste
from o2o.membership.rules.recommend import Reason, Recommendation
from o2o.membership.rules.taste import Favourite
from o2o.membership.web.pad_taste import TastePanel
from o2o.web.copy import LANGUAGES, Words
from o2o.web.pages import Pages
from tests.fakes.clock import NOON


def panel() -> TastePanel:
    dish = Favourite(item_code="A", item_name="<东坡肉>", bills=5, share_percent=80, last_at=NOON)
    return TastePanel(
        taste=Taste(
            is_profiled=True,
            favourites=[dish],
            likes=["鱼"],
            dislikes=["香菜"],
            allergies=["花生", "虾"],
            usual_spend_fen=11_482,
            last_visit_at=NOON - timedelta(days=1),
            days_between_visits=7,
            bills_count=6,
            bills_here=3,
        ),
        offers=[
            Recommendation(
                item_code="A",
                item_name="<东坡肉>",
                reason_code=reason,
                reason_values={"count": 5, "because": "糖藕"},
            )
            for reason in Reason
        ],
    )


def written(language: str, view: TastePanel) -> str:
    words = Words()
    return Pages(words).render(
        "pad/_taste.html",
        language=language,
        words=words,
        now=NOON,
        frame=SimpleNamespace(timezone="Asia/Shanghai"),
        view=view,
    )


def test_everything_known_is_told_and_every_reason_has_words() -> None:
    html = written("zh_CN", panel())
    for words in ("过敏：", "花生、虾", "忌口：", "114.82", "约每 7 天一次", "昨天", "您上次点过"):
        assert words in html
    assert "爱点“糖藕”的会员也常点" in html
    assert "&lt;东坡肉&gt;" in html
    assert "<东坡肉>" not in html
    for language in LANGUAGES:
        assert "taste." not in written(language, panel()).replace('class="taste', "")


def test_who_refuses_profiling_is_said_so() -> None:
    whole = panel()
    empty = Taste(
        is_profiled=False,
        favourites=[],
        likes=[],
        dislikes=[],
        allergies=[],
        usual_spend_fen=None,
        last_visit_at=None,
        days_between_visits=None,
        bills_count=0,
        bills_here=0,
    )
    html = written("zh_CN", TastePanel(taste=empty, offers=whole.offers[:1]))
    assert "不希望我们分析消费" in html
    assert "通常消费" not in html
