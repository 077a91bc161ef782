"""Files to import, brought in by one person and confirmed by another."""

import io
from collections.abc import Awaitable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.organisation import Brand, Store
from o2o.crm.statuses import ImportKind, StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId
from o2o.membership.actions.import_confirm import ConfirmImport, confirm_import
from o2o.membership.actions.import_receive import Received, ReceiveImport, receive_import
from o2o.membership.import_runner import ImportRunner
from o2o.membership.imports.reading import names_of
from o2o.membership.imports.reports import fault_text
from o2o.membership.imports.upload import examine, pieces_of
from o2o.membership.queries.imports import ImportView, get_import, list_faults
from o2o.web.copy import LANGUAGES, Words
from tests.factories.organisation import given_account, given_brand, given_store
from tests.factories.staff import given_staff

HEAD = "卡号,卡密,姓名,手机号,本金余额,赠送余额,积分,开卡日期"
BYTES_MAX = 10_000_000
WORDS = Words()
NAMES = names_of([WORDS.table("imports", language) for language in LANGUAGES])


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A brand with a store, somebody from marketing and somebody from finance."""

    brand: Brand
    store: Store
    marketer: UUID
    finance: UUID
    sessions: SessionFactory
    seal: Seal
    clock: Clock

    @property
    def brand_id(self) -> BrandId:
        return BrandId(self.brand.id)

    def runner(self) -> ImportRunner:
        return ImportRunner(sessions=self.sessions, seal=self.seal, clock=self.clock, names=NAMES)

    async def bring(self, content: bytes, **changed: Any) -> Received:
        """Upload a file as the marketer."""
        file = io.BytesIO(content)
        examined = examine(file, bytes_max=BYTES_MAX)
        command = ReceiveImport(
            brand_id=self.brand_id,
            kind=ImportKind.CARDS,
            file_name="旧卡.csv",
            file_bytes=examined.file_bytes,
            sha256=examined.sha256,
            store_id=self.store.id,
            source="file",
            by=self.marketer,
            now=self.clock.now(),
        )
        async with transaction(self.sessions) as tx:
            return await receive_import(
                tx, msgspec.structs.replace(command, **changed), pieces_of(file)
            )

    async def see(self, import_id: UUID) -> ImportView:
        async with transaction(self.sessions) as tx:
            return await get_import(tx, import_id, brand_id=self.brand.id)

    async def checked(self, content: bytes, **changed: Any) -> ImportView:
        """Upload a file and have it checked."""
        received = await self.bring(content, **changed)
        await self.runner().run_until_idle()
        return await self.see(received.import_id)

    async def faults(self, one: ImportView, language: str = "zh_CN") -> list[str]:
        async with transaction(self.sessions) as tx:
            found = await list_faults(tx, one.id)
        return [fault_text(WORDS, one.kind, fault, language=language) for fault in found]

    async def codes(self, one: ImportView) -> list[tuple[int, str]]:
        async with transaction(self.sessions) as tx:
            return [(fault.line, fault.code) for fault in await list_faults(tx, one.id)]

    async def confirm(self, one: ImportView, **changed: Any) -> None:
        """Name the right totals as somebody from finance, except for what is changed."""
        command = ConfirmImport(
            import_id=one.id,
            brand_id=self.brand_id,
            row_count=one.good_count,
            principal_fen=one.principal_fen,
            bonus_fen=one.bonus_fen,
            points=one.points,
            skips_faulty=False,
            by=self.finance,
            now=self.clock.now(),
        )
        async with transaction(self.sessions) as tx:
            await confirm_import(tx, msgspec.structs.replace(command, **changed))


async def refusal_of(doing: Awaitable[object]) -> str:
    """The code of the fact that stands in the way."""
    try:
        await doing
    except Fact as fact:
        return fact.code
    return ""


async def given_office(sessions: SessionFactory, *, seal: Seal, clock: Clock) -> Office:
    """An office of a new brand."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        store = await given_store(tx, brand, account)
        return Office(
            brand=brand,
            store=store,
            marketer=await given_staff(tx, brand, role=StaffRoleName.MARKETER),
            finance=await given_staff(tx, brand, role=StaffRoleName.FINANCE),
            sessions=sessions,
            seal=seal,
            clock=clock,
        )


def cards(*rows: str, head: str = HEAD, encoding: str = "utf-8") -> bytes:
    """A file of cards."""
    return "\n".join([head, *rows, ""]).encode(encoding)


def many_cards(count: int, *, first: int = 0) -> Sequence[str]:
    """Rows without a fault: each 10.00 and 2.00 and 3 points."""
    return [
        f"B{number:07d},,张三,139{number:08d},10.00,2,3,2024-05-01"
        for number in range(first, first + count)
    ]
