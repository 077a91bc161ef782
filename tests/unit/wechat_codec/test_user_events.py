"""Events that people cause: following, scanning, menus and position, with WeChat's quirks."""

import pytest

from o2o.wechat.codec import messages as m
from o2o.wechat.codec.messages import parse_message
from tests.unit.wechat_codec.samples import event_of, fields_of


@pytest.mark.parametrize(
    "key, scene, transaction_id",
    [
        ("", None, None),
        ("qrscene_123123", "123123", None),
        ("qrscene_0", "0", None),
        ("qrscene_qrscene_1", "qrscene_1", None),
        ("qrscene_last_trade_no_42", "last_trade_no_42", None),
        ("qrscene_门店_1", "门店_1", None),
        ("qrscene_", None, None),
        ("last_trade_no_4008072001201701105817415015", None, "4008072001201701105817415015"),
        ("last_trade_no_", None, None),
        ("scanbarcode|keystandard|keystr", None, None),
        ("QRSCENE_1", None, None),
        ("123", None, None),
    ],
)
def test_a_follow_knows_where_it_came_from(
    key: str, scene: str | None, transaction_id: str | None
) -> None:
    event = event_of("subscribe", f"<EventKey><![CDATA[{key}]]></EventKey><Ticket>T</Ticket>")
    assert isinstance(event, m.SubscribeEvent)
    assert (event.scene, event.transaction_id, event.ticket) == (scene, transaction_id, "T")


def test_a_plain_follow_and_an_unfollow() -> None:
    follow = event_of("subscribe")
    assert isinstance(follow, m.SubscribeEvent)
    assert (follow.scene, follow.ticket, follow.transaction_id) == (None, None, None)
    assert isinstance(event_of("unsubscribe"), m.UnsubscribeEvent)


@pytest.mark.parametrize("scene", ["123", "0", "SCENE_VALUE", "qrscene_1", ""])
def test_a_followers_scan_keeps_its_scene_as_it_is(scene: str) -> None:
    event = event_of("SCAN", f"<EventKey>{scene}</EventKey><Ticket>T</Ticket>")
    assert isinstance(event, m.ScanEvent)
    assert (event.scene, event.ticket) == (scene, "T")


@pytest.mark.parametrize("name", ["SCAN", "scan", "Scan"])
def test_events_are_known_whatever_their_case(name: str) -> None:
    assert isinstance(event_of(name, "<EventKey>1</EventKey>"), m.ScanEvent)


def test_a_position_event_carries_its_datum() -> None:
    inner = (
        "<Latitude>23.137466</Latitude><Longitude>113.352425</Longitude>"
        "<Precision>119.385040</Precision>"
    )
    event = event_of("LOCATION", inner)
    assert isinstance(event, m.LocationEvent)
    assert (event.latitude, event.longitude) == (23.137466, 113.352425)
    assert (event.precision, event.datum) == (119.38504, "wgs84")
    fields = fields_of(inner, head="<Event>LOCATION</Event>")
    other = parse_message(fields, event_datum="gcj02")
    assert isinstance(other, m.LocationEvent)
    assert other.datum == "gcj02"


def test_an_impossible_position_is_none() -> None:
    event = event_of("LOCATION", "<Latitude>123</Latitude><Longitude>-180.5</Longitude>")
    assert isinstance(event, m.LocationEvent)
    assert (event.latitude, event.longitude, event.precision) == (None, None, None)


def test_menu_taps() -> None:
    click = event_of("CLICK", "<EventKey>menu.queue</EventKey>")
    assert isinstance(click, m.ClickEvent)
    assert click.key == "menu.queue"
    view = event_of("VIEW", "<EventKey>https://a.test/?b=1&amp;c=2</EventKey><MenuId>M</MenuId>")
    assert isinstance(view, m.ViewEvent)
    assert (view.url, view.menu_id) == ("https://a.test/?b=1&c=2", "M")
    mini = event_of("view_miniprogram", "<EventKey>pages/index</EventKey><MenuId>M</MenuId>")
    assert isinstance(mini, m.ViewMiniprogramEvent)
    assert (mini.path, mini.menu_id) == ("pages/index", "M")


@pytest.mark.parametrize("kind", ["push", "waitmsg"])
def test_a_code_scanned_from_the_menu(kind: str) -> None:
    info = "<ScanType>qrcode</ScanType><ScanResult>www.a.test</ScanResult>"
    event = event_of(
        f"scancode_{kind}", f"<EventKey>6</EventKey><ScanCodeInfo>{info}</ScanCodeInfo>"
    )
    assert isinstance(event, m.ScanCodeEvent)
    assert (event.kind, event.key) == (kind, "6")
    assert (event.scan_type, event.scan_result) == ("qrcode", "www.a.test")


@pytest.mark.parametrize("info", ["", "<ScanCodeInfo/>", "<ScanCodeInfo>x</ScanCodeInfo>"])
def test_a_scan_without_result_is_empty(info: str) -> None:
    event = event_of("scancode_push", info)
    assert isinstance(event, m.ScanCodeEvent)
    assert (event.scan_type, event.scan_result) == ("", "")


@pytest.mark.parametrize("kind", ["sysphoto", "photo_or_album", "weixin"])
@pytest.mark.parametrize("sums", [(), ("a",), ("a", "b"), ("a", "b", "c")])
def test_pictures_are_listed_one_or_several(kind: str, sums: tuple[str, ...]) -> None:
    items = "".join(f"<item>\n<PicMd5Sum>{md5}</PicMd5Sum>\n</item>" for md5 in sums)
    info = f"<Count>{len(sums)}</Count><PicList>{items}</PicList>"
    event = event_of(f"pic_{kind}", f"<EventKey>6</EventKey><SendPicsInfo>{info}</SendPicsInfo>")
    assert isinstance(event, m.PictureEvent)
    assert (event.kind, event.key, event.count, event.md5_sums) == (kind, "6", len(sums), sums)


def test_pictures_without_their_info_are_none_and_empty() -> None:
    event = event_of("pic_weixin")
    assert isinstance(event, m.PictureEvent)
    assert (event.count, event.md5_sums) == (None, ())


def test_a_picked_place_may_have_no_name() -> None:
    inner = (
        "<EventKey>6</EventKey><SendLocationInfo><Location_X><![CDATA[23]]></Location_X>"
        "<Location_Y><![CDATA[113]]></Location_Y><Scale><![CDATA[15]]></Scale>"
        "<Label><![CDATA[广州市海珠区]]></Label><Poiname><![CDATA[]]></Poiname></SendLocationInfo>"
    )
    event = event_of("location_select", inner)
    assert isinstance(event, m.LocationSelectEvent)
    assert (event.key, event.latitude, event.longitude, event.scale) == ("6", 23.0, 113.0, 15)
    assert (event.label, event.poi_name, event.datum) == ("广州市海珠区", "", "gcj02")


def test_a_picked_place_follows_the_datum_of_messages() -> None:
    fields = fields_of("", head="<Event>location_select</Event>")
    event = parse_message(fields, message_datum="wgs84", event_datum="gcj02")
    assert isinstance(event, m.LocationSelectEvent)
    assert (event.latitude, event.datum) == (None, "wgs84")


@pytest.mark.parametrize(
    "name", ["card_pass_check", "annual_renew", "ShakearoundUserShake", "from_the_future"]
)
def test_an_unknown_event_is_kept_as_unknown(name: str) -> None:
    event = event_of(name, "<Detail>x</Detail>")
    assert isinstance(event, m.UnknownEvent)
    assert (event.event, event.msg_id, event.raw["Detail"]) == (name, None, "x")


def test_an_event_without_a_name_is_unknown() -> None:
    event = parse_message(fields_of("<EventKey>1</EventKey>"))
    assert isinstance(event, m.UnknownEvent)
    assert event.event == ""
