"""Page authorization on the server side: `/sns/…`, from the code to the nickname."""

from wechat_sandbox import oauth
from wechat_sandbox.accounts import Account, find_account, find_account_by_appid
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.oauth import Permission
from wechat_sandbox.people import get_person, unionid_of


def _account_of(call: ApiCall) -> Account:
    """Raises WeChatError 41002, 40013."""
    appid = call.query.get("appid")
    if not appid:
        raise WeChatError(41002)
    account = find_account_by_appid(call.tx, appid)
    if account is None:
        raise WeChatError(40013)
    return account


def _granted(call: ApiCall, permission: Permission, refresh_token: str) -> Answer:
    return {
        "access_token": oauth.issue_token(call.tx, permission, kind="access"),
        "expires_in": oauth.ACCESS_SECONDS,
        "refresh_token": refresh_token,
        "openid": permission.openid,
        "scope": permission.scope,
    }


def _unionid(call: ApiCall, permission: Permission) -> str | None:
    """The unionid, where the account is bound to a platform and the person is no virtual one."""
    account = find_account(call.tx, permission.account)
    if account is None or not account.unionid_group or permission.is_snapshot:
        return None
    return unionid_of(call.tx, group=account.unionid_group, person=permission.person)


@endpoint("GET", "/sns/oauth2/access_token", needs_token=False)
def exchange_code(call: ApiCall) -> Answer:
    account = _account_of(call)
    if not call.query.get("secret"):
        raise WeChatError(41004)
    if call.query["secret"] != account.secret:
        raise WeChatError(40125)
    given = call.query.get("code")
    if not given:
        raise WeChatError(41008)
    if call.query.get("grant_type") != "authorization_code":
        raise WeChatError(40002)
    code = oauth.find_code(call.tx, given)
    if code is None or code["account"] != account.slug:
        raise WeChatError(40029)
    if code["used_at"] is not None:
        raise WeChatError(40163)
    if code["expires_at"] <= call.tx.now:
        raise WeChatError(42003)
    permission = oauth.use_code(call.tx, code)
    answer = _granted(call, permission, oauth.issue_token(call.tx, permission, kind="refresh"))
    if permission.is_snapshot:
        answer["is_snapshotuser"] = 1
    if permission.scope == oauth.USERINFO and (unionid := _unionid(call, permission)):
        answer["unionid"] = unionid
    return answer


@endpoint("GET", "/sns/oauth2/refresh_token", needs_token=False)
def refresh(call: ApiCall) -> Answer:
    account = _account_of(call)
    if call.query.get("grant_type") != "refresh_token":
        raise WeChatError(40002)
    given = call.query.get("refresh_token")
    if not given:
        raise WeChatError(41003)
    found = oauth.find_token(call.tx, given, kind="refresh")
    if found is None or found[0].account != account.slug:
        raise WeChatError(40030)
    permission, expires_at = found
    if expires_at <= call.tx.now:
        raise WeChatError(42002)
    return _granted(call, permission, oauth.issue_token(call.tx, permission, kind="refresh"))


def _permitted(call: ApiCall) -> Permission:
    """Raises WeChatError 41001, 41009, 40001, 40003, 42001."""
    token, openid = call.query.get("access_token"), call.query.get("openid")
    if not token:
        raise WeChatError(41001)
    if not openid:
        raise WeChatError(41009)
    found = oauth.find_token(call.tx, token, kind="access")
    if found is None:
        raise WeChatError(40001)
    permission, expires_at = found
    if expires_at <= call.tx.now:
        raise WeChatError(42001)
    if permission.openid != openid:
        raise WeChatError(40003)
    return permission


@endpoint("GET", "/sns/userinfo", needs_token=False)
def user_info(call: ApiCall) -> Answer:
    permission = _permitted(call)
    if permission.scope != oauth.USERINFO:
        raise WeChatError(48001)
    person = get_person(call.tx, permission.person)
    base = call.sandbox.settings.public_url
    answer: Answer = {
        "openid": permission.openid,
        "nickname": "" if permission.is_snapshot else person.name,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "" if permission.is_snapshot else f"{base}/avatars/{person.id}.svg",
        "privilege": [],
    }
    if unionid := _unionid(call, permission):
        answer["unionid"] = unionid
    return answer


@endpoint("GET", "/sns/auth", needs_token=False)
def check(call: ApiCall) -> Answer:
    _permitted(call)
    return {"errcode": 0, "errmsg": "ok"}
