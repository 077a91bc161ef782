"""Codes with a scene: made by an account's API call, or on the spot for a person who scans one."""

import sqlite3
from dataclasses import dataclass

from wechat_sandbox import ids
from wechat_sandbox.database import Transaction

FOLLOW_PREFIX = "qrscene_"
TEXT_PREFIX = "http://weixin.qq.com/q/"
PERMANENT_SCENE_ID_MAX = 100_000
PERMANENT_ACTIONS = frozenset({"QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"})


@dataclass(frozen=True, slots=True)
class QRCode:
    """`scene_str` wins over `scene_id` where it is set; permanent codes have no `expires_at`."""

    ticket: str
    account: str
    action_name: str
    scene_id: int
    scene_str: str
    expires_at: float | None

    @property
    def scene_value(self) -> str:
        return self.scene_str or str(self.scene_id)

    @property
    def text(self) -> str:
        """What the picture says."""
        return f"{TEXT_PREFIX}{self.ticket}"

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def _code(row: sqlite3.Row) -> QRCode:
    return QRCode(**dict(row))


def create_code(
    tx: Transaction,
    *,
    account: str,
    action_name: str,
    scene_id: int = 0,
    scene_str: str = "",
    expires_at: float | None = None,
) -> QRCode:
    code = QRCode(ids.new_ticket(), account, action_name, scene_id, scene_str, expires_at)
    tx.run(
        "INSERT INTO qrcodes (ticket, account, action_name, scene_id, scene_str, expires_at)"
        " VALUES (:ticket, :account, :action_name, :scene_id, :scene_str, :expires_at)",
        ticket=code.ticket,
        account=account,
        action_name=action_name,
        scene_id=scene_id,
        scene_str=scene_str,
        expires_at=expires_at,
    )
    return code


def find_code(tx: Transaction, ticket: str) -> QRCode | None:
    row = tx.row("SELECT * FROM qrcodes WHERE ticket = :ticket", ticket=ticket)
    return None if row is None else _code(row)


def code_for_scene(tx: Transaction, *, account: str, scene: str) -> QRCode:
    """The account's newest live code with this scene; without one, a permanent one is made."""
    number = int(scene) if scene.isascii() and scene.isdigit() and len(scene) <= 10 else 0
    row = tx.row(
        "SELECT * FROM qrcodes WHERE account = :account"
        " AND (scene_str = :scene OR (scene_str = '' AND scene_id = :number AND :number > 0))"
        " AND (expires_at IS NULL OR expires_at > :now) ORDER BY rowid DESC LIMIT 1",
        account=account,
        scene=scene,
        number=number,
        now=tx.now,
    )
    if row is not None:
        return _code(row)
    if 0 < number <= PERMANENT_SCENE_ID_MAX:
        return create_code(tx, account=account, action_name="QR_LIMIT_SCENE", scene_id=number)
    return create_code(tx, account=account, action_name="QR_LIMIT_STR_SCENE", scene_str=scene)


def list_codes(tx: Transaction, *, account: str) -> list[QRCode]:
    rows = tx.rows(
        "SELECT * FROM qrcodes WHERE account = :account"
        " AND (expires_at IS NULL OR expires_at > :now) ORDER BY rowid DESC LIMIT 200",
        account=account,
        now=tx.now,
    )
    return [_code(row) for row in rows]
