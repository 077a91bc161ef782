"""The diner's own page: who we know, how pages are shown, and offers."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from o2o.infra.database import Tx
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.membership.actions.answer_marketing import answer_marketing
from o2o.membership.queries import get_member_view
from o2o.membership.queries.consents import has_marketing_consent
from o2o.membership.web.views import DinerFrame, MePage, PersonView, frame_of
from o2o.stores.queries import get_brand
from o2o.web.copy import LANGUAGES
from o2o.web.guards import diner_guard
from o2o.web.language import COOKIE as LANGUAGE_COOKIE
from o2o.web.language import language_of
from o2o.web.principals import Diner
from o2o.web.rendering import LARGE_TYPE_COOKIE, show

AnyRequest = Request[Any, Any, Any]
YEAR_SECONDS = 31_536_000


class ChoosePreferences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One or more choices; what is not named stays as it is."""

    language: Literal["zh_CN", "en"] | None = None
    large_type: Literal["on", "off"] | None = None
    marketing: Literal["on", "off"] | None = None
    csrf: str = ""


class DinerSelfPages(Controller):
    """`/h5/{account}/me` and `/preferences`."""

    path = "/h5/{account:str}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/me")
    async def show_me(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[str]:
        """Show what we know of the diner, and the choices."""
        frame = frame_of(diner, language=language_of(request), tab="me")
        page = MePage(
            member=await _person(tx, diner, frame=frame),
            languages=LANGUAGES,
            is_saved=request.query_params.get("told") == "saved",
        )
        return show(request, "diner/me.html", frame=frame, view=page)

    @post("/preferences")
    async def choose(
        self,
        data: Annotated[ChoosePreferences, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        settings: NamedDependency[Settings],
    ) -> Response[Any]:
        """Keep how pages are shown in this browser, and the member's answer to offers."""
        cookies = []
        if data.language is not None:
            cookies.append(_kept(LANGUAGE_COOKIE, data.language, settings))
        if data.large_type is not None:
            is_large = data.large_type == "on"
            cookies.append(_kept(LARGE_TYPE_COOKIE, "1" if is_large else "0", settings))
        if data.marketing is not None and diner.member_id is not None and not diner.is_snapshot:
            brand = await get_brand(tx, diner.brand_id)
            await answer_marketing(
                tx,
                member_id=diner.member_id,
                is_wanted=data.marketing == "on",
                terms_version=brand.terms_version,
                now=clock.now(),
            )
        return Redirect(
            f"/h5/{diner.account_slug}/me?told=saved",
            status_code=303,
            headers={"Cache-Control": "no-store"},
            cookies=cookies,
        )


async def _person(tx: Tx, diner: Diner, *, frame: DinerFrame) -> PersonView | None:
    if diner.member_id is None or diner.is_snapshot:
        return None
    member = await get_member_view(tx, diner.member_id, brand_id=diner.brand_id)
    return PersonView.of(
        member,
        brand_name=frame.brand_name,
        wants_marketing=await has_marketing_consent(tx, diner.member_id),
    )


def _kept(name: str, value: str, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=YEAR_SECONDS,
        samesite="lax",
        secure=settings.is_https,
        httponly=True,
    )
