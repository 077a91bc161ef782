"""Events that WeChat reports itself: results of sending, authorisations, agents, publishing."""

import pytest

from o2o.wechat.codec import messages as m
from tests.unit.wechat_codec.samples import OPENID, event_of


@pytest.mark.parametrize(
    "status, succeeded, reason",
    [
        ("success", True, ""),
        (" Success ", True, ""),
        ("failed:user block", False, "user_block"),
        ("failed: user block", False, "user_block"),
        ("FAILED:User Block", False, "user_block"),
        ("failed: system failed", False, "system_failed"),
        ("failed:system failed", False, "system_failed"),
        ("failed:out of luck", False, "outofluck"),
        ("failed", False, ""),
        ("", False, ""),
    ],
)
def test_the_fate_of_a_template_message(status: str, succeeded: bool, reason: str) -> None:
    inner = f"<MsgID>200163836</MsgID><Status><![CDATA[{status}]]></Status>"
    event = event_of("TEMPLATESENDJOBFINISH", inner)
    assert isinstance(event, m.TemplateSendFinished)
    assert (event.succeeded, event.reason, event.sent_msg_id) == (succeeded, reason, 200163836)
    assert event.msg_id is None


@pytest.mark.parametrize(
    "status, succeeded, error_code",
    [
        ("send success", True, None),
        ("sendsuccess", True, None),
        ("send fail", False, None),
        ("err(30003)", False, 30003),
        ("ERR( 40001 )", False, 40001),
        ("err()", False, None),
        ("err(99999999999999999999)", False, None),
        ("", False, None),
    ],
)
def test_the_fate_of_a_mass_message(status: str, succeeded: bool, error_code: int | None) -> None:
    counts = (
        "<TotalCount>100</TotalCount><FilterCount>80</FilterCount>"
        "<SentCount>75</SentCount><ErrorCount>5</ErrorCount>"
    )
    event = event_of("MASSSENDJOBFINISH", f"<MsgID>1</MsgID><Status>{status}</Status>{counts}")
    assert isinstance(event, m.MassSendFinished)
    assert (event.succeeded, event.error_code, event.sent_msg_id) == (succeeded, error_code, 1)
    assert (event.total_count, event.filter_count) == (100, 80)
    assert (event.sent_count, event.error_count) == (75, 5)
    assert event.article_urls == ()


@pytest.mark.parametrize("urls", [("u1",), ("u1", "u2")])
def test_a_mass_message_names_its_articles(urls: tuple[str, ...]) -> None:
    items = "".join(f"<item><ArticleUrl>{url}</ArticleUrl></item>" for url in urls)
    results = f"<Count>{len(urls)}</Count><ResultList>{items}</ResultList>"
    event = event_of("MASSSENDJOBFINISH", f"<ArticleUrlResult>{results}</ArticleUrlResult>")
    assert isinstance(event, m.MassSendFinished)
    assert (event.article_urls, event.total_count) == (urls, None)


def choice_xml(template_id: str, status: str) -> str:
    return (
        f"<List><TemplateId>{template_id}</TemplateId>"
        f"<SubscribeStatusString>{status}</SubscribeStatusString><PopupScene>2</PopupScene></List>"
    )


@pytest.mark.parametrize("wrapper", ["SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", ""])
@pytest.mark.parametrize("name", ["subscribe_msg_popup_event", "subscribe_msg_change_event"])
@pytest.mark.parametrize("templates", [("a",), ("a", "b", "c")])
def test_choices_are_read_under_either_wrapper_one_or_several(
    wrapper: str, name: str, templates: tuple[str, ...]
) -> None:
    rows = "".join(choice_xml(t, "accept" if t == "a" else "reject") for t in templates)
    event = event_of(name, f"<{wrapper}>{rows}</{wrapper}>" if wrapper else rows)
    kind = m.SubscribePopupEvent if "popup" in name else m.SubscribeChangeEvent
    assert isinstance(event, kind)
    assert event.choices == tuple(
        m.SubscribeChoice(template_id=t, accepted=t == "a", popup_scene=2) for t in templates
    )


def test_the_fate_of_subscription_notices() -> None:
    rows = (
        "<List><TemplateId>t1</TemplateId><MsgID>1700827132819554304</MsgID>"
        "<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List>"
        "<List><TemplateId>t2</TemplateId><MsgID>x</MsgID><ErrorCode>43101</ErrorCode></List>"
        "<List/>"
    )
    event = event_of(
        "subscribe_msg_sent_event", f"<SubscribeMsgSentEvent>{rows}</SubscribeMsgSentEvent>"
    )
    assert isinstance(event, m.SubscribeSentEvent)
    assert event.deliveries == (
        m.SubscribeDelivery(
            template_id="t1",
            sent_msg_id=1700827132819554304,
            succeeded=True,
            error_code=0,
            error_status="success",
        ),
        m.SubscribeDelivery(
            template_id="t2",
            sent_msg_id=None,
            succeeded=False,
            error_code=43101,
            error_status="",
        ),
    )


def test_subscription_events_without_rows_are_empty() -> None:
    popup = event_of("subscribe_msg_popup_event", "<SubscribeMsgPopupEvent/>")
    assert isinstance(popup, m.SubscribePopupEvent)
    assert popup.choices == ()
    sent = event_of("subscribe_msg_sent_event")
    assert isinstance(sent, m.SubscribeSentEvent)
    assert sent.deliveries == ()


@pytest.mark.parametrize(
    "info, codes",
    [
        ("<RevokeInfo>205</RevokeInfo>", ("205",)),
        ("<RevokeInfo>205,206</RevokeInfo>", ("205", "206")),
        ("<RevokeInfo> 205 ; 206、999，205 </RevokeInfo>", ("205", "206", "999")),
        ("<RevokeInfo>201</RevokeInfo><RevokeInfo>202,207</RevokeInfo>", ("201", "202", "207")),
        ("<RevokeInfo>what</RevokeInfo>", ("what",)),
        ("<RevokeInfo/>", ()),
        ("", ()),
    ],
)
def test_what_was_revoked_is_a_list_of_codes(info: str, codes: tuple[str, ...]) -> None:
    inner = f"<OpenID>o-person</OpenID><AppID>wx1</AppID>{info}"
    event = event_of("user_authorization_revoke", inner)
    assert isinstance(event, m.AuthorizationRevoked)
    assert (event.openid, event.appid, event.revoke_info) == ("o-person", "wx1", codes)


def test_other_events_of_a_profile_name_the_person() -> None:
    inner = "<OpenID>o-person</OpenID><AppID>wx1</AppID>"
    modified = event_of("user_info_modified", inner)
    assert isinstance(modified, m.UserInfoModified)
    assert (modified.openid, modified.appid) == ("o-person", "wx1")
    cancelled = event_of("user_authorization_cancellation")
    assert isinstance(cancelled, m.AuthorizationCancelled)
    assert (cancelled.openid, cancelled.appid) == (OPENID, "")


@pytest.mark.parametrize(
    "name, inner, expected",
    [
        ("create", "<KfAccount>a@x</KfAccount>", ("created", "a@x", "")),
        ("close", "<KfAccount>a@x</KfAccount>", ("closed", "a@x", "")),
        (
            "switch",
            "<FromKfAccount>a@x</FromKfAccount><ToKfAccount>b@x</ToKfAccount>",
            ("switched", "b@x", "a@x"),
        ),
    ],
)
def test_sessions_of_agents(name: str, inner: str, expected: tuple[str, str, str]) -> None:
    event = event_of(f"kf_{name}_session", inner)
    assert isinstance(event, m.KfSessionEvent)
    assert (event.kind, event.kf_account, event.from_kf_account) == expected


def test_the_fate_of_a_published_draft() -> None:
    detail = (
        "<article_detail><count>2</count><item><idx>1</idx><article_url>u1</article_url></item>"
        "<item><idx>2</idx><article_url>u2</article_url></item></article_detail>"
    )
    info = "<publish_id>7</publish_id><publish_status>0</publish_status><article_id>A</article_id>"
    event = event_of("PUBLISHJOBFINISH", "")
    assert isinstance(event, m.UnknownEvent)
    event = event_of("FREEPUBLISHJOBFINISH", f"<PublishEventInfo>{info}{detail}</PublishEventInfo>")
    assert isinstance(event, m.PublishFinished)
    assert (event.publish_id, event.publish_status, event.article_id) == ("7", 0, "A")
    assert (event.article_urls, event.fail_indexes) == (("u1", "u2"), ())


@pytest.mark.parametrize(
    "failed", ["<fail_idx>1</fail_idx><fail_idx>2</fail_idx>", "<fail_idx>1,2</fail_idx>"]
)
def test_a_draft_refused_for_its_originality_names_the_articles(failed: str) -> None:
    info = f"<publish_id>7</publish_id><publish_status>2</publish_status>{failed}"
    event = event_of("FREEPUBLISHJOBFINISH", f"<PublishEventInfo>{info}</PublishEventInfo>")
    assert isinstance(event, m.PublishFinished)
    assert (event.publish_status, event.fail_indexes) == (2, ("1", "2"))
