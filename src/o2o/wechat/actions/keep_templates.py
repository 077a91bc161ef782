"""Keep which template of an account serves which purpose."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.wechat import MessageTemplate
from o2o.infra.database import Tx


async def keep_templates(tx: Tx, *, account_id: UUID, ids: Mapping[str, str]) -> None:
    """Write the template id of each purpose over what was there."""
    if not ids:
        return
    statement = insert(MessageTemplate).values(
        [
            {"account_id": account_id, "purpose": purpose, "template_id": template_id}
            for purpose, template_id in sorted(ids.items())
        ]
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "purpose"],
            set_={"template_id": statement.excluded.template_id},
        )
    )


async def forget_template(tx: Tx, *, account_id: UUID, purpose: str) -> None:
    """Drop a template id that WeChat refused."""
    await tx.execute(
        delete(MessageTemplate).where(
            MessageTemplate.account_id == account_id, MessageTemplate.purpose == purpose
        )
    )
