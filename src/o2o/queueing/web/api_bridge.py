"""The API for a communication server in a hall: its queue machine's state in, numbers out."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.infra.database import Tx
from o2o.infra.logging import get_logger
from o2o.queueing.actions.hear_bridge import hear_bridge
from o2o.queueing.actions.issue_bridge_key import key_label
from o2o.queueing.bridge_news import BridgeHeard, BridgeNews
from o2o.queueing.errors_bridge import BridgeClockOff, BridgeNotFound, BridgeSignatureWrong
from o2o.queueing.queries.bridges import find_bridge
from o2o.queueing.rules.bridge_signatures import HEADER, SKEW_SECONDS, is_signed, read_signature
from o2o.web.api_parts import refusal
from o2o.web.platform import Platform
from o2o.web.strict_json import refuse_lenient_json

log = get_logger(__name__)

AnyRequest = Request[Any, Any, Any]


class BridgeAPI(Controller):
    """`/api/v1/bridge/{store}/state`. Signed with the store's key instead of an API key."""

    path = "/bridge/{store_id:uuid}"
    tags = ["bridge"]  # noqa: RUF012 - Litestar reads this plain class attribute
    security: list[dict[str, list[str]]] = []  # noqa: RUF012 - the signature stands for the key
    before_request = staticmethod(refuse_lenient_json)

    @put(
        "/state",
        summary="Bring a hall in step with its own queue machine",
        description=(
            f"The header `{HEADER}: t=<seconds>,v1=<hex>` carries the HMAC-SHA-256, by the store's"
            " bridge key, of the seconds since 1970, the method, the path and the body, joined by"
            " line feeds. `seq` grows with every message; the whole state comes every time. The"
            " answer names all numbers of ours that wait, for the machine to take in."
        ),
        responses={
            403: refusal("Signed wrongly, or five minutes off"),
            404: refusal("The store has no bridge"),
            409: refusal("A newer message was heard already"),
            422: refusal("The state cannot mean anything"),
        },
    )
    async def hear(
        self,
        store_id: FromPath[UUID],
        request: AnyRequest,
        data: JSONBody[BridgeNews],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
    ) -> BridgeHeard:
        """Answer what is to be taken in. The same message again is answered and changes nothing."""
        now = platform.clock.now()
        body = await request.body()
        await _check_signature(
            tx, request, store_id=store_id, body=body, platform=platform, now=int(now.timestamp())
        )
        return await hear_bridge(
            tx,
            store_id=store_id,
            news=data,
            body_hash=hashlib.sha256(msgspec.json.encode(data)).digest(),
            now=now,
        )


async def _check_signature(
    tx: Tx,
    request: AnyRequest,
    *,
    store_id: UUID,
    body: bytes,
    platform: Platform,
    now: int,
) -> None:
    """Raise BridgeNotFound, BridgeSignatureWrong, BridgeClockOff."""
    bridge = await find_bridge(tx, store_id)
    if bridge is None:
        raise BridgeNotFound
    signature = read_signature(request.headers.get(HEADER))
    key = platform.seal.unseal(bridge.key_sealed, label=key_label(store_id))
    if signature is None or not is_signed(
        signature, key, method=request.method, path=request.url.path, body=body
    ):
        log.warning("bridge.signature_wrong", store_id=str(store_id))
        raise BridgeSignatureWrong
    # After the signature: whoever cannot sign learns nothing of our clock.
    if abs(now - signature.seconds) > SKEW_SECONDS:
        raise BridgeClockOff(server_time=now)


route_handlers: list[Any] = [BridgeAPI]
