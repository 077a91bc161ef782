"""Control API: people, what they follow, write and see."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK

from wechat_sandbox import acts, chat, fans, people, qrcodes
from wechat_sandbox.control.access import Refused, get_account, get_person
from wechat_sandbox.control.accounts import check_http_address
from wechat_sandbox.courier import NO_ANSWER, Outcome
from wechat_sandbox.deliveries import Delivery
from wechat_sandbox.sandbox import Sandbox

PERSON_COOKIE = "sandbox_person"
SCENE = Annotated[str, msgspec.Meta(max_length=64)]


class AddPerson(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    phone: Annotated[str, msgspec.Meta(pattern=r"^1[0-9]{10}$")] | None = None
    language: Annotated[str, msgspec.Meta(pattern=r"^(zh_CN|zh_TW|en)$")] = "zh_CN"


class ChangePerson(msgspec.Struct, forbid_unknown_fields=True):
    snapshot: bool | None = None
    language: Annotated[str, msgspec.Meta(pattern=r"^(zh_CN|zh_TW|en)$")] | None = None
    location: dict[str, float] | None = None
    next_scan: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    refusing: list[str] | None = None


class FollowAccount(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    scene: SCENE | int | None = None


@get("/people")
async def list_people(sandbox: NamedDependency[Sandbox]) -> list[dict[str, Any]]:
    with sandbox.database.transaction() as tx:
        return [people.record_of(tx, person) for person in people.list_people(tx)]


@post("/people")
async def add_person(data: AddPerson, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    name = data.name.strip()
    if not name:
        raise ValidationException(detail="name is blank")
    with sandbox.database.transaction() as tx:
        person = people.add_person(tx, name=name, phone=data.phone, language=data.language)
        return people.record_of(tx, person)


@get("/people/{person_id:str}")
async def show_person(person_id: str, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        return people.record_of(tx, get_person(tx, person_id))


@patch("/people/{person_id:str}")
async def change_person(
    person_id: str, data: ChangePerson, sandbox: NamedDependency[Sandbox]
) -> dict[str, Any]:
    """Snapshot mode, language, place on the map, what the next scan will see, refused accounts."""
    with sandbox.database.transaction() as tx:
        get_person(tx, person_id)
        changes: dict[str, Any] = {
            "snapshot": None if data.snapshot is None else int(data.snapshot),
            "language": data.language,
            "next_scan": data.next_scan,
        }
        if data.location is not None:
            changes |= _place(data.location)
        people.change_person(tx, person_id, changes)
        if data.refusing is not None:
            for slug in data.refusing:
                get_account(tx, slug)
            fans.refuse_only(tx, person=person_id, accounts=data.refusing)
        return people.record_of(tx, people.get_person(tx, person_id))


def _place(location: dict[str, float]) -> dict[str, float]:
    latitude, longitude = location.get("lat"), location.get("lng")
    if latitude is None or longitude is None:
        raise Refused(422, "location.invalid", "a location needs lat and lng")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Refused(422, "location.invalid", "lat and lng must be degrees on earth")
    return {"latitude": latitude, "longitude": longitude}


async def settle(sandbox: Sandbox, delivery: Delivery | None) -> dict[str, Any]:
    """Push what an act owes and answer with what came back."""
    if delivery is None:
        return Outcome(reply=None, status=NO_ANSWER, took_ms=0).record()
    return (await sandbox.courier.post(delivery)).record()


@post("/people/{person_id:str}/follow", status_code=HTTP_200_OK)
async def follow(
    person_id: str, data: FollowAccount, sandbox: NamedDependency[Sandbox]
) -> dict[str, Any]:
    """Follow; with a scene as by its code, and as a SCAN where the person follows already."""
    with sandbox.database.transaction() as tx:
        person, account = get_person(tx, person_id), get_account(tx, data.account)
        code = None
        if data.scene not in {None, ""}:
            code = qrcodes.code_for_scene(tx, account=account.slug, scene=str(data.scene))
        delivery = acts.follow(tx, account, person.id, code=code)
    return await settle(sandbox, delivery)


@post("/people/{person_id:str}/unfollow", status_code=HTTP_200_OK)
async def unfollow(
    person_id: str, data: FollowAccount, sandbox: NamedDependency[Sandbox]
) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        person, account = get_person(tx, person_id), get_account(tx, data.account)
        delivery = acts.unfollow(tx, account, person.id)
    return await settle(sandbox, delivery)


@get("/people/{person_id:str}/chat")
async def show_chat(
    *, person_id: str, account: str, sandbox: NamedDependency[Sandbox], after: int = 0
) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        person, known = get_person(tx, person_id), get_account(tx, account)
        messages = chat.list_messages(tx, account=known.slug, person=person.id, after=after)
    return {"messages": messages}


@get("/people/{person_id:str}/open")
async def open_page(
    *, person_id: str, url: str, request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox]
) -> Response[Any]:
    """Send the browser to a page as this person.

    Cookies do not keep ports apart, so the page's own cookies of the person before are ended: each
    person has a jar of their own.
    """
    check_http_address(url, name="url")
    with sandbox.database.transaction() as tx:
        person = get_person(tx, person_id)
    cookies = [person_cookie(sandbox, person.id)]
    if request.cookies.get(PERSON_COOKIE) != person.id:
        cookies += [ended_cookie(name) for name in sandbox.settings.webview_cookies]
    return Redirect(url, status_code=302, cookies=cookies)


def person_cookie(sandbox: Sandbox, person_id: str) -> Cookie:
    """Says whose phone the browser is; sent to framed pages too where the sandbox has https."""
    is_secure = sandbox.settings.public_url.startswith("https://")
    return Cookie(
        key=PERSON_COOKIE,
        value=person_id,
        path="/",
        httponly=True,
        secure=is_secure,
        samesite="none" if is_secure else "lax",
    )


def ended_cookie(name: str) -> Cookie:
    needs_secure = name.startswith(("__Host-", "__Secure-"))
    return Cookie(key=name, value="", path="/", max_age=0, secure=needs_secure)


ROUTES = (
    list_people,
    add_person,
    show_person,
    change_person,
    follow,
    unfollow,
    show_chat,
    open_page,
)
