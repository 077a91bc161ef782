"""What the pad's queue pages show: the board, the keys to take a number, the slip."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.kernel.text import mask_name
from o2o.queueing.commands import Verb
from o2o.queueing.errors import TicketNotFound
from o2o.queueing.queries.booking_day import list_arrivals
from o2o.queueing.queries.bridges import find_machine
from o2o.queueing.queries.doors import find_editions, get_door
from o2o.queueing.queries.queues import get_settings
from o2o.queueing.queries.store_board import BoardQueue, BoardTicket, StoreBoard, get_store_board
from o2o.queueing.queries.tickets import TicketView, get_ticket
from o2o.queueing.rules.notices import ToldRange, told_wait
from o2o.queueing.web.display import desk_words
from o2o.queueing.web.display_links import display_path
from o2o.queueing.web.doors import paper_path
from o2o.queueing.web.pad_frames import Standing, queue_frame, where_pad_stands
from o2o.stores.queries import get_store
from o2o.web.forms import fault_of
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Clerk
from o2o.web.qr import qr_svg
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAGE = "/pad/queue"
# Other parts of the product add to the screen.
PANELS = "pad.queue"
DONE = frozenset({*Verb, "call", "arrive", "transfer", "open", "paused", "closed"})
# How a ticket stands after what was done, for as long as that is news.
_STANDS_AFTER = {
    "call": TicketStatus.CALLED,
    "arrive": TicketStatus.WAITING,
    "transfer": TicketStatus.WAITING,
    Verb.RECALL: TicketStatus.CALLED,
    Verb.SKIP: TicketStatus.SKIPPED,
    Verb.RETURN: TicketStatus.WAITING,
}
# Sizes at a tap; larger parties are typed.
SIZES = range(1, 13)
_CODE = re.compile(r"[A-Z][0-9]{1,6}", re.ASCII)


class PadQueueContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a panel of the slot `pad.queue` may use."""

    store_id: UUID
    brand_id: UUID
    timezone: str
    now: datetime


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done last, as far as it is still so."""

    verb: str
    code: str
    ticket: BoardTicket | None
    desk: str


async def show_queue_page(
    request: AnyRequest, tx: Tx, clerk: Clerk, *, fact: Fact | None = None
) -> Response[Any]:
    """Show the screen, with what stood in the way of the last step, if anything did."""
    return await _show(request, tx, clerk, "pad/queue.html", fact=fact)


async def show_board(request: AnyRequest, tx: Tx, clerk: Clerk) -> Response[Any]:
    """Show the part of the screen that changes."""
    return await _show(request, tx, clerk, "pad/_queue_board.html")


async def _show(
    request: AnyRequest, tx: Tx, clerk: Clerk, template: str, *, fact: Fact | None = None
) -> Response[Any]:
    platform = platform_of(request)
    now = platform.clock.now()
    store = await get_store(tx, clerk.store_id)
    board = await get_store_board(tx, store, now=now)
    standing = await where_pad_stands(request, tx, clerk, platform=platform)
    settings = await get_settings(tx, clerk.store_id)
    context = PadQueueContext(
        store_id=store.id, brand_id=store.brand_id, timezone=store.timezone, now=now
    )
    language = language_of(request)
    return show(
        request,
        template,
        status=fact.status if fact else 200,
        frame=await queue_frame(tx, clerk),
        board=board,
        standing=standing,
        place=desk_words(standing.desk, platform.words, language) if standing.desk else None,
        places={
            desk.desk_id: desk_words(desk.code, platform.words, language) for desk in standing.desks
        },
        place_of=lambda desk: desk_words(desk, platform.words, language),
        here=_called_here(board, standing),
        elsewhere=_called_elsewhere(board, standing),
        ranges={q.queue.queue_id: _range(q) for q in board.queues},
        names=_names(board),
        serves_after_close=settings.serves_waiting_after_close,
        done=_done(request, board),
        new_id=new_request_id,
        display=display_path(
            platform.seal, store.id, edition=(await find_editions(tx, store.id)).display
        ),
        arrivals=await list_arrivals(tx, store.id, now),
        machine=await find_machine(tx, store.id, now=now),
        panels=await platform.panels.load(PANELS, tx, context),
        fault=fault_of(request, fact) if fact else None,
    )


def _called(board: StoreBoard) -> list[BoardTicket]:
    tickets = [ticket for queue in board.queues for ticket in queue.called]
    return sorted(tickets, key=lambda t: (t.called_at or t.taken_at, t.code), reverse=True)


def _called_here(board: StoreBoard, standing: Standing) -> list[BoardTicket]:
    return [ticket for ticket in _called(board) if ticket.desk == standing.desk]


def _called_elsewhere(board: StoreBoard, standing: Standing) -> list[BoardTicket]:
    return [ticket for ticket in _called(board) if ticket.desk != standing.desk]


def _range(queue: BoardQueue) -> ToldRange | None:
    if queue.estimate is None or not queue.waiting:
        return None
    return told_wait(queue.estimate)


def _names(board: StoreBoard) -> dict[UUID, str | None]:
    return {
        ticket.ticket_id: mask_name(ticket.member_name)
        for queue in board.queues
        for tickets in (queue.waiting, queue.called, queue.missed)
        for ticket in tickets
    }


def _done(request: AnyRequest, board: StoreBoard) -> Done | None:
    """Return what the address says was done, where the board still has it."""
    verb = request.query_params.get("done", "")
    if verb not in DONE:
        return None
    if verb in {"open", "paused", "closed"}:
        named = request.query_params.get("queue")
        queue = next((q.queue for q in board.queues if str(q.queue.queue_id) == named), None)
        if queue is None or queue.status != verb:
            return None
        return Done(verb=verb, code=f"{queue.code} {queue.name}", ticket=None, desk="")
    named = request.query_params.get("ticket")
    tickets: Sequence[BoardTicket] = [
        ticket
        for queue in board.queues
        for group in (queue.waiting, queue.called, queue.missed)
        for ticket in group
    ]
    ticket = next((ticket for ticket in tickets if str(ticket.ticket_id) == named), None)
    if ticket is None:
        # It has ended, as it was to be.
        code = request.query_params.get("code", "")
        is_over = verb in {Verb.SEAT, Verb.CANCEL} and _CODE.fullmatch(code)
        return Done(verb=verb, code=code, ticket=None, desk="") if is_over else None
    if ticket.status is not _STANDS_AFTER.get(verb, ticket.status):
        return None  # It went on meanwhile.
    return Done(verb=verb, code=ticket.code, ticket=ticket, desk=ticket.desk or "")


async def show_take(
    request: AnyRequest, tx: Tx, clerk: Clerk, *, fact: Fact | None = None
) -> Response[Any]:
    """Show the keys to take a number with."""
    platform = platform_of(request)
    store = await get_store(tx, clerk.store_id)
    board = await get_store_board(tx, store, now=platform.clock.now())
    return show(
        request,
        "pad/queue_take.html",
        status=fact.status if fact else 200,
        frame=await queue_frame(tx, clerk),
        board=board,
        keys=[(size, _class_of(board, size)) for size in SIZES],
        ranges={q.queue.queue_id: _range(q) for q in board.queues},
        is_hall=all(q.queue.kind == "service_line" for q in board.queues),
        request_id=new_request_id(),
        fault=fault_of(request, fact) if fact else None,
    )


def _class_of(board: StoreBoard, size: int) -> BoardQueue | None:
    """Return the class that a party of a size would join: the narrowest that gives numbers."""
    fits = [q for q in board.queues if q.queue.party_size_min <= size <= q.queue.party_size_max]
    fits.sort(key=lambda q: (not q.is_taking, q.queue.party_size_max - q.queue.party_size_min))
    return fits[0] if fits else None


async def show_slip(request: AnyRequest, tx: Tx, clerk: Clerk, *, ticket_id: UUID) -> Response[Any]:
    """Show a number with the code by which a guest takes it onto the phone."""
    platform = platform_of(request)
    ticket: TicketView = await get_ticket(
        tx, ticket_id, now=platform.clock.now(), brand_id=clerk.brand_id
    )
    if ticket.store_id != clerk.store_id:
        raise TicketNotFound(ticket_id=ticket_id)
    door = await get_door(tx, clerk.store_id, brand_id=clerk.brand_id)
    path = paper_path(platform.seal, account_slug=door.account_slug, ticket_id=ticket_id)
    label = platform.words.text("queueing_pad.slip.qr", language_of(request))
    return show(
        request,
        "pad/queue_slip.html",
        frame=await queue_frame(tx, clerk),
        ticket=ticket,
        range=told_wait(ticket.estimate) if ticket.estimate else None,
        qr=qr_svg(f"{platform.settings.public_url}{path}", label=label),
        can_claim=ticket.member_id is None and ticket.fan_id is None,
    )
