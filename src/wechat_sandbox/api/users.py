"""Followers: `/cgi-bin/user/*`. Since 2021-12-27 nickname and picture come back empty here."""

from typing import Any

from wechat_sandbox import fans
from wechat_sandbox.accounts import Account
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.database import Transaction
from wechat_sandbox.people import find_person_by_openid, get_person, unionid_of

BATCH_MAX = 100
PAGE_MAX = 10_000
REMARK_CHARACTERS_MAX = 30


def person_of(tx: Transaction, account: Account, openid: object, *, missing: int = 40003) -> str:
    """The person behind an openid of this account. Raises WeChatError 40003 (or `missing`)."""
    if not isinstance(openid, str) or not openid:
        raise WeChatError(missing)
    person = find_person_by_openid(tx, account=account.slug, openid=openid)
    if person is None:
        raise WeChatError(40003)
    return person


def _info(tx: Transaction, account: Account, openid: str) -> Answer:
    person = person_of(tx, account, openid)
    fan = fans.find_fan(tx, account=account.slug, person=person)
    info: dict[str, Any]
    if fan is None or not fan["is_subscribed"]:
        info = {"subscribe": 0, "openid": openid}
    else:
        info = {
            "subscribe": 1,
            "openid": openid,
            "nickname": "",
            "sex": 0,
            "language": get_person(tx, person).language,
            "city": "",
            "province": "",
            "country": "",
            "headimgurl": "",
            "subscribe_time": int(fan["subscribed_at"]),
            "remark": fan["remark"],
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": fan["subscribe_scene"],
            "qr_scene": fan["qr_scene"],
            "qr_scene_str": fan["qr_scene_str"],
        }
    unionid = unionid_of(tx, group=account.unionid_group, person=person)
    if account.unionid_group and unionid is not None:
        info["unionid"] = unionid
    return info


@endpoint("GET", "/cgi-bin/user/info", daily_limit=5_000_000)
def user_info(call: ApiCall) -> Answer:
    openid = call.query.get("openid")
    if not openid:
        raise WeChatError(41009)
    return _info(call.tx, call.account, openid)


@endpoint("POST", "/cgi-bin/user/info/batchget", daily_limit=5_000_000)
def user_info_batch(call: ApiCall) -> Answer:
    users = call.body.get("user_list")
    if not isinstance(users, list) or not users:
        raise WeChatError(40031)
    if len(users) > BATCH_MAX:
        raise WeChatError(40032)
    openids = [user.get("openid") if isinstance(user, dict) else None for user in users]
    if not all(isinstance(openid, str) for openid in openids):
        raise WeChatError(40031)
    return {"user_info_list": [_info(call.tx, call.account, str(openid)) for openid in openids]}


@endpoint("GET", "/cgi-bin/user/get", daily_limit=500)
def list_followers(call: ApiCall) -> Answer:
    """Openids in the order they followed, ten thousand a page, after `next_openid`."""
    rows = call.tx.rows(
        "SELECT openids.openid FROM fans JOIN openids USING (account, person)"
        " WHERE account = :account AND is_subscribed = 1 ORDER BY subscribed_at, openid",
        account=call.account.slug,
    )
    openids = [row["openid"] for row in rows]
    start = 0
    if after := call.query.get("next_openid"):
        if after not in openids:
            raise WeChatError(40003)
        start = openids.index(after) + 1
    page = openids[start : start + PAGE_MAX]
    answer: Answer = {"total": len(openids), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    answer["next_openid"] = page[-1] if page else ""
    return answer


@endpoint("POST", "/cgi-bin/user/info/updateremark", daily_limit=10_000)
def update_remark(call: ApiCall) -> Answer:
    person = person_of(call.tx, call.account, call.body.get("openid"), missing=41009)
    remark = call.body.get("remark")
    if not isinstance(remark, str) or len(remark) >= REMARK_CHARACTERS_MAX:
        raise WeChatError(40092)
    if not fans.is_following(call.tx, account=call.account.slug, person=person):
        raise WeChatError(43004)
    call.tx.run(
        "UPDATE fans SET remark = :remark WHERE account = :account AND person = :person",
        remark=remark,
        account=call.account.slug,
        person=person,
    )
    return {"errcode": 0, "errmsg": "ok"}
