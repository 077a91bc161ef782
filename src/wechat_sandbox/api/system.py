"""WeChat's housekeeping calls: addresses, network check, quotas."""

from wechat_sandbox import quotas
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import ENDPOINTS, Answer, ApiCall, endpoint
from wechat_sandbox.clock import china_day

LOOPBACK = "127.0.0.1"
CLEARINGS_PER_MONTH = 10
DAYS_PER_MONTH = 30
CLEAR_PATH = "/cgi-bin/clear_quota"
OPERATORS = frozenset({"DEFAULT", "CHINANET", "UNICOM", "CAP"})
# Token calls count their quota themselves, as they come without a token.
TOKEN_LIMITS = {"/cgi-bin/token": 2000, "/cgi-bin/stable_token": 500_000}


@endpoint("GET", "/cgi-bin/get_api_domain_ip")
def api_addresses(_call: ApiCall) -> Answer:
    return {"ip_list": [LOOPBACK]}


@endpoint("GET", "/cgi-bin/getcallbackip")
def callback_addresses(_call: ApiCall) -> Answer:
    return {"ip_list": [LOOPBACK]}


@endpoint("POST", "/cgi-bin/callback/check")
def check_callback(call: ApiCall) -> Answer:
    """Says what a check from WeChat's side finds; the sandbox is on the same machine."""
    action = call.body.get("action")
    if action not in ("dns", "ping", "all"):
        raise WeChatError(40202)
    operator = call.body.get("check_operator")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise WeChatError(40203)
    answer: Answer = {}
    if action in ("dns", "all"):
        answer["dns"] = [{"ip": LOOPBACK, "real_operator": operator}]
    if action in ("ping", "all"):
        answer["ping"] = [
            {"ip": LOOPBACK, "from_operator": operator, "package_loss": "0%", "time": "0.040ms"}
        ]
    return answer


@endpoint("POST", CLEAR_PATH)
def clear_quota(call: ApiCall) -> Answer:
    account, tx = call.account, call.tx
    if call.body.get("appid") != account.appid:
        raise WeChatError(40013)
    month_ago = china_day(tx.now) - DAYS_PER_MONTH + 1
    used = quotas.used_since(tx, account=account.slug, api=CLEAR_PATH, first_day=month_ago)
    if used >= CLEARINGS_PER_MONTH:
        raise WeChatError(48006)
    quotas.clear(tx, account=account.slug)
    quotas.count_call(tx, account=account.slug, api=CLEAR_PATH)
    return {"errcode": 0, "errmsg": "ok"}


@endpoint("POST", "/cgi-bin/openapi/quota/get")
def get_quota(call: ApiCall) -> Answer:
    path = call.body.get("cgi_path")
    known = ENDPOINTS.get(path) if isinstance(path, str) else None
    default = None
    if known is not None:
        default = TOKEN_LIMITS.get(known.path, known.daily_limit)
    if known is None or default is None:
        raise WeChatError(76021)
    limit = quotas.limit_of(call.tx, account=call.account.slug, api=known.path, default=default)
    used = quotas.used_today(call.tx, account=call.account.slug, api=known.path)
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
    return {"errcode": 0, "errmsg": "ok", "quota": quota}
