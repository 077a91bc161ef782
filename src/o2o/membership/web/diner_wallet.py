"""The diner's balance with every movement, newest first, page by page."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from o2o.crm.organisation import Store
from o2o.crm.statuses import Asset
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.ledger.queries import StatementLine, get_wallet, list_statement
from o2o.membership.web.step_up import to_card
from o2o.membership.web.views import StatementPart, StatementRow, WalletPage, frame_of
from o2o.stores.queries import list_stores
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
ROWS_PER_PAGE = 20
# The `seq` of the last line shown; a PostgreSQL bigint.
Before = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]


class DinerWalletPages(Controller):
    """`/h5/{account}/wallet`."""

    path = "/h5/{account:str}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/wallet")
    async def show_wallet(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        before: Before = None,
    ) -> Response[Any]:
        """Show the balance and its statement, or only more lines for the button at its end."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        part = await load_statement(tx, MemberId(diner.member_id), Asset.CNY_FEN, before=before)
        if "hx-request" in request.headers:
            return show(request, "diner/statement_part.html", view=part)
        wallet = await get_wallet(tx, MemberId(diner.member_id))
        page = WalletPage(
            rows=part.rows,
            unit=part.unit,
            next_before=part.next_before,
            is_continued=part.is_continued,
            balance_fen=wallet.balance_fen,
            principal_fen=wallet.principal_fen,
            bonus_fen=wallet.bonus_fen,
        )
        frame = frame_of(diner, language=language_of(request), tab="wallet")
        return show(request, "diner/wallet.html", frame=frame, view=page)


async def load_statement(
    tx: Tx, member_id: MemberId, asset: Asset, *, before: int | None
) -> StatementPart:
    """Read one page of a statement; one line more than shown tells whether there is another."""
    lines = await list_statement(
        tx, member_id, asset=asset, before_seq=before, limit=ROWS_PER_PAGE + 1
    )
    shown = lines[:ROWS_PER_PAGE]
    store_ids = list({line.store_id for line in shown if line.store_id is not None})
    stores = {store.id: store for store in await list_stores(tx, store_ids=store_ids)}
    return StatementPart(
        rows=[StatementRow.of(line, _place(stores, line)) for line in shown],
        unit="points" if asset is Asset.POINTS else "fen",
        next_before=shown[-1].seq if len(lines) > ROWS_PER_PAGE else None,
        is_continued=before is not None,
    )


def _place(stores: Mapping[UUID, Store], line: StatementLine) -> Store | None:
    return stores.get(line.store_id) if line.store_id is not None else None
