"""The hall's display: who is called where, who waits, how to take a number. Public data only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from markupsafe import Markup

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.queueing.commands import ticket_code
from o2o.queueing.errors_arrange import DisplayLinkForged, DisplayLinkRetired
from o2o.queueing.queries.doors import Editions, find_editions, get_door
from o2o.queueing.queries.hall import HallCall, list_hall_calls
from o2o.queueing.queries.queues import QueueState, list_queues
from o2o.queueing.rules.notices import ToldRange, told_wait
from o2o.queueing.web.display_links import read_display_key
from o2o.queueing.web.doors import door_path
from o2o.stores.queries import find_store
from o2o.web.answers import is_for_program
from o2o.web.copy import Words
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.qr import qr_svg
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
Key = Annotated[str, QueryParameter(max_length=64)]
# The one that is called now, and three before it.
CALLS_SHOWN = 4


class ShownCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it is shown and said."""

    seq: int
    code: str
    # Where to: "3号窗口", or the desk's own name.
    place: str
    queue_name: str
    is_recall: bool
    called_at: datetime
    # The sentence for the voice, with every digit apart.
    said: str


class ShownQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as the hall sees it; no wait where nobody waits."""

    state: QueueState
    wait: ToldRange | None


class HallView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the display that changes."""

    calls: Sequence[ShownCall]
    queues: Sequence[ShownQueue]
    # Names what the page is made of, the door's code too: another one, and it loads itself anew.
    release: str


class DisplayPages(Controller):
    """`/display/{store}`: the page and the part of it that is read anew."""

    path = "/display/{store_id:uuid}"

    @get()
    async def display(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        key: Key = "",
    ) -> Response[Any]:
        """Show the display, or how to get its new address. Raises DisplayLinkForged."""
        try:
            store, editions = await _store(tx, platform.seal, store_id, key=key)
        except DisplayLinkRetired as fact:
            if is_for_program(request):
                raise
            return show(request, "display/retired.html", status=fact.status)
        door = await get_door(tx, store.id, brand_id=store.brand_id)
        address = f"{platform.settings.public_url}{door_path(platform.seal, door)}"
        label = platform.words.text("queueing_display.take_label", language_of(request))
        qr: Markup = qr_svg(address, label=label)
        return show(
            request,
            "display/queue.html",
            store=store,
            door=door,
            key=key,
            qr=qr,
            view=await _view(request, tx, platform, store, editions=editions),
        )

    @get("/board")
    async def board(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        key: Key = "",
    ) -> Response[Any]:
        """Show what changes alone. Raises DisplayLinkForged, DisplayLinkRetired."""
        store, editions = await _store(tx, platform.seal, store_id, key=key)
        view = await _view(request, tx, platform, store, editions=editions)
        return show(request, "display/_board.html", store=store, view=view)


async def _store(tx: Tx, seal: Seal, store_id: UUID, *, key: str) -> tuple[Store, Editions]:
    edition = read_display_key(seal, store_id, key)
    store = await find_store(tx, store_id) if edition is not None else None
    if store is None:
        raise DisplayLinkForged
    editions = await find_editions(tx, store_id)
    if edition != editions.display:
        raise DisplayLinkRetired
    return store, editions


async def _view(
    request: AnyRequest, tx: Tx, platform: Platform, store: Store, *, editions: Editions
) -> HallView:
    language = language_of(request)
    states = await list_queues(tx, store.id, now=platform.clock.now())
    calls: Sequence[HallCall] = []
    if states:
        calls = await list_hall_calls(
            tx, store.id, business_on=states[0].business_on, most=CALLS_SHOWN
        )
    return HallView(
        calls=[_call(call, platform.words, language) for call in calls],
        queues=[_queue(state) for state in states],
        release=f"{platform.pages.static('js/display.js')}#{editions.door}",
    )


def _queue(state: QueueState) -> ShownQueue:
    if state.estimate is None or not state.waiting:
        return ShownQueue(state=state, wait=None)
    return ShownQueue(state=state, wait=told_wait(state.estimate))


def _call(call: HallCall, words: Words, language: str) -> ShownCall:
    code = ticket_code(call.queue_code, call.number)
    place = desk_words(call.desk, words, language)
    digits = words.text("queueing_display.digits", language).split()
    spoken = " ".join(digits[int(sign)] if sign.isdecimal() else sign for sign in code)
    if language == "zh_CN":
        spoken = spoken.replace(" ", "")
    return ShownCall(
        seq=call.seq,
        code=code,
        place=place,
        queue_name=call.queue_name if language == "zh_CN" else call.queue_name_en,
        is_recall=call.is_recall,
        called_at=call.called_at,
        said=words.text("queueing_display.said", language, code=spoken, place=place),
    )


def desk_words(desk: str, words: Words, language: str) -> str:
    """Return where a call leads to as people read it: numbers are windows, names stay names."""
    if desk.isascii() and desk.isdecimal():
        return words.text("queueing_display.window", language, desk=desk)
    return desk


route_handlers: list[Any] = [DisplayPages]
