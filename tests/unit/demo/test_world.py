"""The world as written: counts, places where they say they are, colours that can be read."""

from collections import Counter
from datetime import date
from importlib.resources import files
from itertools import combinations
from math import cos, hypot, radians

import pytest

from o2o.app.demo.shapes import Store
from o2o.app.demo.world import World, load_world, parse_world

# South, north, west, east in GCJ-02 degrees, drawn generously around each district.
DISTRICTS = {
    ("上海", "静安区"): (31.215, 31.330, 121.420, 121.485),
    ("上海", "黄浦区"): (31.180, 31.245, 121.455, 121.515),
    ("上海", "徐汇区"): (31.100, 31.225, 121.390, 121.475),
    ("上海", "浦东新区"): (30.850, 31.400, 121.480, 122.000),
    ("上海", "杨浦区"): (31.250, 31.345, 121.480, 121.580),
    ("杭州", "上城区"): (30.190, 30.350, 120.145, 120.290),
    ("杭州", "西湖区"): (30.080, 30.350, 119.990, 120.165),
    ("杭州", "滨江区"): (30.130, 30.225, 120.105, 120.245),
    ("杭州", "拱墅区"): (30.255, 30.400, 120.090, 120.215),
    ("南京", "秦淮区"): (31.980, 32.050, 118.755, 118.880),
    ("南京", "鼓楼区"): (32.035, 32.130, 118.715, 118.795),
    ("南京", "建邺区"): (31.945, 32.055, 118.640, 118.765),
}
METRES_PER_DEGREE = 111_320


def metres_apart(one: Store, other: Store) -> float:
    east = (one.lng - other.lng) * cos(radians(one.lat))
    return hypot(one.lat - other.lat, east) * METRES_PER_DEGREE


def luminance(hue: str) -> float:
    channels = [int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_group_has_a_restaurant_brand_and_a_hall_brand(world: World) -> None:
    assert [(b.slug, b.kind, b.member_count) for b in world.brands] == [
        ("weitang", "restaurant", 150),
        ("chengyan", "hall", 50),
    ]
    assert [(a.slug, a.brand, a.place_word) for a in world.accounts] == [
        ("weitang", "weitang", "门店"),
        ("chengyan", "chengyan", "营业厅"),
    ]
    assert Counter((s.brand, s.city) for s in world.stores) == {
        ("weitang", "上海"): 5,
        ("weitang", "杭州"): 4,
        ("weitang", "南京"): 3,
        ("chengyan", "杭州"): 3,
    }


def test_store_names_fit_a_template_field_and_begin_with_the_brand(world: World) -> None:
    for store in world.stores:
        assert len(store.name) <= 20
        assert store.name.startswith(world.brand(store.brand).short_name)
        assert store.timezone == "Asia/Shanghai"


def test_stores_lie_in_the_district_they_name(world: World) -> None:
    for store in world.stores:
        south, north, west, east = DISTRICTS[store.city, store.district]
        assert south < store.lat < north, store.code
        assert west < store.lng < east, store.code


def test_no_two_stores_share_a_doorstep(world: World) -> None:
    for one, other in combinations(world.stores, 2):
        assert metres_apart(one, other) > 500, (one.code, other.code)


def test_brand_colours_carry_white_text(world: World) -> None:
    for brand in world.brands:
        # WCAG 2.2, 1.4.3: 4.5 to 1 for text of normal size.
        assert 1.05 / (luminance(brand.hue) + 0.05) >= 4.5, brand.slug


def test_hours_are_split_closed_and_past_midnight_somewhere(world: World) -> None:
    assert world.store("sh-daxue").weekly_hours()["fri"] == [
        ["11:00", "14:30"],
        ["17:00", "02:00"],
    ]
    halls = world.store("hz-qiutao").weekly_hours()
    assert list(halls) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert halls["sat"] == [["08:30", "17:00"]]
    assert halls["sun"] == []
    friday, sunday = date(2026, 2, 27), date(2026, 3, 1)
    assert world.store("sh-daxue").spans_on(friday) == [(660, 870), (1020, 1560)]
    assert world.store("hz-qiutao").spans_on(sunday) == []


def test_a_dozen_staff_with_every_role(world: World) -> None:
    assert Counter(person.role for person in world.staff) == {
        "clerk": 3,
        "manager": 3,
        "kitchen": 1,
        "marketer": 1,
        "service": 1,
        "finance": 1,
        "auditor": 1,
        "sysadmin": 1,
    }
    for person in world.staff:
        if person.role in {"clerk", "manager"}:
            assert person.pin is not None
        if person.role != "clerk":
            assert person.password == f"demo-only-{person.login}"
    pins = [person.pin for person in world.staff if person.pin is not None]
    assert len(set(pins)) == len(pins)


def test_a_clerk_reaches_no_other_store_or_brand(world: World) -> None:
    staff = {person.login: person for person in world.staff}
    reached = {
        login: [store.code for store in world.stores if staff[login].covers(store)]
        for login in ("chenjie", "shenhao", "lujia")
    }
    assert reached == {
        "chenjie": ["sh-yuyuan"],
        "shenhao": ["hz-moganshan"],
        "lujia": ["hz-moganshan", "hz-xixing", "hz-qiutao"],
    }
    assert world.counter_logins(world.store("sh-yuyuan")) == ("chenjie",)
    assert world.counter_logins(world.store("nj-hunan")) == ("xuning",)


def test_tiers_are_reached_at_their_threshold(world: World) -> None:
    brand = world.brand("weitang")
    reached = [brand.tier_at(fen).code for fen in (0, 99_999, 100_000, 799_999, 800_000)]
    assert reached == ["reed", "reed", "lotus", "osmanthus", "moon"]


def written() -> list[str]:
    folder = files("o2o.app.demo").joinpath("data")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [entry.read_text("utf-8") for entry in entries if entry.name.endswith(".toml")]


def test_the_shipped_files_are_the_world(world: World) -> None:
    assert parse_world(written()) == world
    assert load_world() == world


@pytest.mark.parametrize(
    "old,new,complaint",
    [
        ('slogan = "一灶江南', 'slogam = "一灶江南', "slogam"),
        ("spend_from_fen = 0, discount_bp = 0", "spend_from_fen = 1, discount_bp = 0", "first"),
        ("spend_from_fen = 300000", "spend_from_fen = 100000", "tiers rise"),
        ("principal_fen = 50000", "principal_fen = 5000", "top-ups rise"),
        ("discount_bp = 300,", "discount_bp = 10001,", "discount_bp"),
        ("discount_bp = 300,", "discount_bp = 3.5,", "discount_bp"),
        ('hue = "#a6402b"', 'hue = "red"', "hue"),
        ('card_prefix = "980227"', 'card_prefix = "980116"', "card prefix"),
        ('place_word = "营业厅"', 'place_word = ""', "place_word"),
        ('slug = "chengyan"\nbrand = "chengyan"', 'slug = "x1"\nbrand = "weitang"', "account"),
        ("苇塘小灶·愚园路店", "苇塘小灶·愚园路店愚园路店愚园路店愚园路店", "length <= 20"),
        ("苇塘小灶·愚园路店", "愚园路店", "the name starts"),
        ('code = "sh-ruijin"', 'code = "sh-yuyuan"', "store code"),
        ("lat = 31.223900", "lat = 131.223900", "lat"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Nowhere"', "no such time zone"),
        ("opens = 17:00:00, closes = 02:00:00", "opens = 17:00:00, closes = 11:30:00", "overlap"),
        ("opens = 17:00:00, closes = 02:00:00", "opens = 14:00:00, closes = 02:00:00", "overlap"),
        ('login = "wuyue"', 'login = "chenjie"', "login"),
        ('stores = ["hz-moganshan"]', 'stores = ["sh-yuyuan"]', "no store 'sh-yuyuan'"),
        ('pin = "602817"', "", "no way to sign in"),
        ('pin = "602817"', 'pin = "60281"', "pin"),
        ('password = "demo-only-sunbo"', 'password = "short"', "password"),
        (
            'login = "lujia"\nname = "陆佳"\nrole = "manager"',
            'login = "lujia"\nname = "陆佳"\nrole = "auditor"',
            "nobody takes money",
        ),
        ('home_store = "sh-daxue"', 'home_store = "hz-xixing"', "no store 'hz-xixing'"),
        ("named_percent = 80", "named_percent = 2", "verified"),
        ("named_percent = 80", "named_percent = 99", "verified"),
        ("member_count = 50", "member_count = 3", "more cast than members"),
        ("[limits]", "[group2]\n[limits]", "group2"),
        ("top_up_weights = [30, 40, 22, 8]", "top_up_weights = [30, 40, 22]", "one weight"),
    ],
)
def test_a_world_that_does_not_hang_together_is_refused(old: str, new: str, complaint: str) -> None:
    before = written()
    broken = [text.replace(old, new) for text in before]
    assert broken != before

    with pytest.raises(ValueError, match=complaint):
        parse_world(broken)


def test_a_table_written_in_two_files_is_refused() -> None:
    with pytest.raises(ValueError, match="'group' is written twice"):
        parse_world([*written(), '[group]\nname = "A"\nname_en = "B"\n'])
