"""Pictures people send from their phones, kept so that the account can fetch them by address."""

import base64
import binascii
import re
from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.inbound import BadInput
from wechat_sandbox.sandbox import Sandbox

PICTURE_BYTES_MAX = 2_000_000
DATA_URL = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)")
# A one-pixel picture for senders who do not care which.
ANY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def store_picture(sandbox: Sandbox, data_url: Any) -> str:
    """Keep a picture given as a data URL; returns its media id. Raises BadInput."""
    if data_url is None:
        data_url = ANY_PICTURE
    matched = DATA_URL.fullmatch(data_url) if isinstance(data_url, str) else None
    if matched is None:
        raise BadInput("data_url must hold a png, jpeg, gif or webp picture")
    try:
        content = base64.b64decode(matched[2], validate=True)
    except binascii.Error as error:
        raise BadInput("data_url is not Base64") from error
    if len(content) > PICTURE_BYTES_MAX:
        raise BadInput("the picture is over 2 MB")
    media_id = ids.new_media_id()
    with sandbox.database.transaction() as tx:
        tx.run(
            "INSERT INTO media (media_id, content_type, content, at)"
            " VALUES (:media_id, :content_type, :content, :now)",
            media_id=media_id,
            content_type=matched[1],
            content=content,
            now=tx.now,
        )
    return media_id


def address_of(sandbox: Sandbox, media_id: str) -> str:
    return f"{sandbox.settings.public_url}/mmbiz/{media_id}"


def find_picture(sandbox: Sandbox, media_id: str) -> tuple[str, bytes] | None:
    """Content type and bytes."""
    with sandbox.database.transaction() as tx:
        row = tx.row(
            "SELECT content_type, content FROM media WHERE media_id = :media_id", media_id=media_id
        )
    return None if row is None else (row["content_type"], row["content"])
