"""What browsers load: the phone's files, avatars, pictures, codes and the JS-SDK stand-in."""

import html
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect

from wechat_sandbox import media, people, qrcodes
from wechat_sandbox.control.access import TOKEN_COOKIE, Refused, is_let_in, is_token
from wechat_sandbox.pictures import avatar_svg, qr_png
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.texts import text

PHONE_POLICY = (
    "default-src 'self'; frame-src http: https:; img-src http: https: data: blob:;"
    " media-src 'self' blob:; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:;"
    " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
)


def _file(*parts: str) -> Traversable | None:
    """A file inside the package; None for a name that is missing or tries to leave its folder."""
    for part in parts:
        if part in {"", ".", ".."} or "/" in part or "\\" in part or part.startswith("."):
            return None
    found = files("wechat_sandbox").joinpath(*parts)
    return found if found.is_file() else None


def _served(found: Traversable | None, name: str) -> Response[bytes]:
    if found is None:
        raise Refused(404, "file.not_found", f"there is no file {name!r}")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name.endswith((".js", ".mjs")):
        kind = "text/javascript"
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if name.endswith(".html"):
        headers["Content-Security-Policy"] = PHONE_POLICY
    return Response(found.read_bytes(), media_type=kind, headers=headers)


@get("/")
async def show_phone(
    request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox], token: str | None = None
) -> Response[Any]:
    """The phone; behind a control token it asks for it once and keeps it in a cookie."""
    wanted = sandbox.settings.control_token
    if wanted is not None and token is not None and is_token(token, wanted):
        cookie = Cookie(key=TOKEN_COOKIE, value=token, path="/", httponly=True, samesite="strict")
        return Redirect("/", status_code=302, cookies=[cookie])
    if not is_let_in(request, wanted):
        return _sign_in_page()
    return _served(_file("phone", "index.html"), "index.html")


def _sign_in_page() -> Response[Any]:
    title, ask = html.escape(text("sign_in_title")), html.escape(text("sign_in_ask"))
    submit = html.escape(text("sign_in_submit"))
    content = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="stylesheet" href="/oauth.css"></head><body><main><h1>{title}</h1>'
        f'<form method="get" action="/"><label>{ask}<input type="password" name="token"'
        f' autocomplete="current-password" required></label><button>{submit}</button></form>'
        "</main></body></html>"
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'self'"}
    return Response(content, status_code=401, media_type=MediaType.HTML, headers=headers)


@get("/phone/{path:path}")
async def show_phone_file(path: str) -> Response[bytes]:
    return _served(_file("phone", *path.strip("/").split("/")), path)


@get("/dist/{path:path}")
async def show_built_file(path: str) -> Response[bytes]:
    """What the build copied here, such as the QR decoder."""
    return _served(_file("static", "dist", *path.strip("/").split("/")), path)


@get("/oauth.css")
async def show_oauth_style() -> Response[bytes]:
    return _served(_file("static", "oauth.css"), "oauth.css")


@get("/jweixin.js")
async def show_jssdk() -> Response[bytes]:
    return _served(_file("static", "jweixin.js"), "jweixin.js")


@get("/avatars/{name:str}")
async def show_avatar(name: str, sandbox: NamedDependency[Sandbox]) -> Response[bytes]:
    with sandbox.database.transaction() as tx:
        person = people.find_person(tx, name.removesuffix(".svg"))
    if person is None:
        raise Refused(404, "person.not_found", f"there is no person {name!r}")
    headers = {"Cache-Control": "max-age=3600"}
    return Response(
        avatar_svg(person.name, person.hue), media_type="image/svg+xml", headers=headers
    )


@get("/mmbiz/{media_id:str}")
async def show_picture(media_id: str, sandbox: NamedDependency[Sandbox]) -> Response[bytes]:
    found = media.find_picture(sandbox, media_id)
    if found is None:
        raise Refused(404, "media.not_found", "there is no such picture")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    return Response(found[1], media_type=found[0], headers=headers)


@get("/cgi-bin/showqrcode")
async def show_scene_code(ticket: str, sandbox: NamedDependency[Sandbox]) -> Response[bytes]:
    """The picture of a scene code, as mp.weixin.qq.com draws it; 404 for a ticket it never gave."""
    with sandbox.database.transaction() as tx:
        code = qrcodes.find_code(tx, ticket)
    if code is None:
        raise Refused(404, "ticket.not_found", "there is no such ticket")
    return Response(qr_png(code.text), media_type="image/png")


@get("/healthz", media_type=MediaType.TEXT)
async def show_health() -> str:
    return "ok"


ROUTES = (
    show_phone,
    show_phone_file,
    show_built_file,
    show_oauth_style,
    show_jssdk,
    show_avatar,
    show_picture,
    show_scene_code,
    show_health,
)
