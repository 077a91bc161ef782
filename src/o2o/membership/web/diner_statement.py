"""The diner's statement of a period: its sums on a page, all its lines as PDF or CSV."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from o2o.crm.statuses import Asset
from o2o.infra.aside import compute_aside
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal, SealBroken
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.ledger.queries.period import PeriodStatement, read_period
from o2o.membership.errors_api import StatementLinkOver
from o2o.membership.queries import get_member_view
from o2o.membership.statements_export import period as periods
from o2o.membership.statements_export.csv_file import csv_bytes
from o2o.membership.statements_export.pdf_file import pdf_bytes
from o2o.membership.statements_export.period import Period
from o2o.membership.statements_export.sheet import Figures, Holder, Sheet, make_sheet
from o2o.membership.web.views import frame_of
from o2o.stores.queries import get_brand, list_stores
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
LINES_MAX = 3_000
LINK_LASTS = timedelta(minutes=10)
LABEL = "statement link"
_MEDIA = {"pdf": "application/pdf", "csv": "text/csv"}
# Longer than any link of ours.
TOKEN_CHARS_MAX = 1_024

Text = Annotated[str, QueryParameter(max_length=32)]


class StatementLink(msgspec.Struct, frozen=True, kw_only=True):
    """What a link to a file says, sealed: it opens outside WeChat, where nobody is signed in."""

    account: str
    member_id: UUID
    brand_id: UUID
    asset: Asset
    from_day: date
    to_day: date
    format: Literal["pdf", "csv"]
    language: str
    until: datetime

    def sealed(self, seal: Seal) -> str:
        """Write it as the last part of an address."""
        sealed = seal.seal(msgspec.json.encode(self).decode(), label=LABEL)
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    @classmethod
    def opened(cls, token: str, *, seal: Seal, account: str, now: datetime) -> "StatementLink":
        """Read what `sealed` wrote. Raises StatementLinkOver for anything else, or too late."""
        try:
            sealed = urlsafe_b64decode(token[:TOKEN_CHARS_MAX] + "=" * (-len(token) % 4))
            link = msgspec.json.decode(seal.unseal(sealed, label=LABEL), type=cls)
        except (ValueError, SealBroken) as broken:
            raise StatementLinkOver from broken
        if link.account != account or link.until <= now:
            raise StatementLinkOver
        return link


class PresetView(msgspec.Struct, frozen=True, kw_only=True):
    """A period to choose with one tap."""

    name: str
    from_day: str
    to_day: str
    is_chosen: bool


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """The choice and what it comes to. `fault` is a key of `statement.page`, or empty."""

    asset: str
    from_text: str
    to_text: str
    today: str
    presets: list[PresetView]
    fault: str
    line_count: int = 0
    figures: Figures | None = None
    pdf_token: str = ""
    csv_token: str = ""


class DinerStatementPages(Controller):
    """`/h5/{account}/statement`."""

    path = "/h5/{account:str}/statement"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def choose(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        platform: NamedDependency[Platform],
        asset: Text = Asset.CNY_FEN.value,
        from_day: Text = "",
        to_day: Text = "",
    ) -> Response[Any]:
        """Show the sums of a period, this month's at first, and the links to its files."""
        if diner.member_id is None or diner.is_snapshot:
            return Redirect(f"/h5/{diner.account_slug}/card", status_code=303)
        now, language = platform.clock.now(), language_of(request)
        presets = periods.presets(periods.today(now))
        chosen = (
            periods.read_period(from_day, to_day) if from_day or to_day else presets["this_month"]
        )
        kind = Asset.POINTS if asset == Asset.POINTS.value else Asset.CNY_FEN
        page = _page(chosen, presets, asset=kind, asked=(from_day, to_day), now=now)
        if isinstance(chosen, Period):
            found = await _read(tx, diner.member_id, kind, chosen)
            page = _with_sums(page, found)
            if not page.fault:
                page = _with_links(
                    page, chosen, diner, asset=kind, platform=platform, language=language
                )
        frame = frame_of(diner, language=language, tab="wallet")
        return show(
            request,
            "diner/statement.html",
            status=422 if page.fault and (from_day or to_day) else 200,
            frame=frame,
            view=page,
        )


@get("/h5/{account:str}/statement/files/{token:str}")
async def send_statement(
    account: FromPath[str],
    token: FromPath[str],
    tx: NamedDependency[Tx],
    clock: NamedDependency[Clock],
    seal: NamedDependency[Seal],
    platform: NamedDependency[Platform],
) -> Response[bytes]:
    """Send the file that a link names. Raises StatementLinkOver, MemberNotFound."""
    now = clock.now()
    link = StatementLink.opened(token, seal=seal, account=account, now=now)
    sheet = await _sheet(tx, link, platform=platform, now=now)
    await note(
        tx,
        actor=Actor("member", link.member_id),
        action="statement.downloaded",
        at=now,
        subject=("member", link.member_id),
        asset=link.asset.value,
        from_day=link.from_day.isoformat(),
        to_day=link.to_day.isoformat(),
        format=link.format,
    )
    # Thousands of lines take a while to draw.
    make = pdf_bytes if link.format == "pdf" else csv_bytes
    content = await compute_aside(make, sheet)
    name = f"statement-{link.from_day:%Y%m%d}-{link.to_day:%Y%m%d}.{link.format}"
    # A PDF is shown where the browser can, anything else is kept.
    way = "inline" if link.format == "pdf" else "attachment"
    return Response(
        content,
        media_type=_MEDIA[link.format],
        headers={
            "Content-Disposition": f'{way}; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


async def _read(tx: Tx, member_id: UUID, asset: Asset, chosen: Period) -> PeriodStatement:
    return await read_period(
        tx,
        MemberId(member_id),
        asset=asset,
        from_at=chosen.begins_at,
        until_at=chosen.ends_at,
        most=LINES_MAX,
    )


def _page(
    chosen: Period | str,
    presets: dict[str, Period],
    *,
    asset: Asset,
    asked: tuple[str, str],
    now: datetime,
) -> StatementPage:
    if isinstance(chosen, Period):
        asked, fault = (chosen.from_day.isoformat(), chosen.to_day.isoformat()), ""
    else:
        fault = chosen
    return StatementPage(
        asset=asset.value,
        from_text=asked[0],
        to_text=asked[1],
        today=periods.today(now).isoformat(),
        presets=[
            PresetView(
                name=name,
                from_day=one.from_day.isoformat(),
                to_day=one.to_day.isoformat(),
                is_chosen=one == chosen,
            )
            for name, one in presets.items()
        ],
        fault=fault,
    )


def _with_sums(page: StatementPage, found: PeriodStatement) -> StatementPage:
    if found.line_count > LINES_MAX:
        return msgspec.structs.replace(page, fault="too_many")
    return msgspec.structs.replace(
        page,
        line_count=found.line_count,
        figures=Figures.of(found.lines, opening=found.opening),
    )


def _with_links(
    page: StatementPage,
    chosen: Period,
    diner: Diner,
    *,
    asset: Asset,
    platform: Platform,
    language: str,
) -> StatementPage:
    assert diner.member_id is not None
    link = StatementLink(
        account=diner.account_slug,
        member_id=diner.member_id,
        brand_id=diner.brand_id,
        asset=asset,
        from_day=chosen.from_day,
        to_day=chosen.to_day,
        format="pdf",
        language=language,
        until=platform.clock.now() + LINK_LASTS,
    )
    as_csv = msgspec.structs.replace(link, format="csv")
    return msgspec.structs.replace(
        page, pdf_token=link.sealed(platform.seal), csv_token=as_csv.sealed(platform.seal)
    )


async def _sheet(tx: Tx, link: StatementLink, *, platform: Platform, now: datetime) -> Sheet:
    member = await get_member_view(tx, link.member_id, brand_id=link.brand_id)
    brand = await get_brand(tx, link.brand_id)
    chosen = Period(from_day=link.from_day, to_day=link.to_day)
    found = await _read(tx, link.member_id, link.asset, chosen)
    store_ids = list({line.store_id for line in found.lines if line.store_id})
    who = [part for part in (member.name, member.phone_masked) if part]
    return make_sheet(
        found.lines,
        opening=found.opening,
        asset=link.asset,
        period=chosen,
        holder=Holder(
            brand_name=brand.name_en if link.language == "en" else brand.name,
            card_no=" ".join(
                member.card_no[start : start + 4] for start in range(0, len(member.card_no), 4)
            ),
            who=" ".join(who) or "–",
        ),
        stores={store.id: store for store in await list_stores(tx, store_ids=store_ids)},
        made_at=now,
        words=platform.words,
        language=link.language,
    )


route_handlers = [DinerStatementPages, send_statement]
