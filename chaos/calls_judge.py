"""What became of the calls of a round: who was told, how soon, how often, what came too late."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from chaos.calls_hall import Hall
from chaos.people import Person, Phones
from chaos.product import Product
from chaos.rows import read_rows
from o2o.crm.statuses import TicketNoticeKind
from o2o.queueing.rules.notices import message_id

CALLED_TITLE, SOON_TITLE = "排队叫号提醒", "排队进度通知"
# Nobody can take back what is on its way already: an exchange of HTTP, on a busy machine.
UNDER_WAY_SECONDS = 1.0
PROMISED_SECONDS = 1.0

_CALLS = (
    "SELECT c.seq, c.ticket_id, extract(epoch FROM c.called_at) AS called_at,"
    " extract(epoch FROM t.ended_at) AS ended_at FROM queue_calls c"
    " JOIN tickets t ON t.id = c.ticket_id"
    " WHERE t.fan_id IS NOT NULL AND c.queue_id::text = ANY(string_to_array(:'queues', ','))"
)


class CallVerdict(msgspec.Struct, kw_only=True):
    """The figures, and what was wrong."""

    calls: int
    told: int
    seated_first: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    late: int
    violations: list[str]
    # How long desks waited for the answer to a call, in order, an outage included; seconds.
    desk_waits: Sequence[float] = ()

    def lines(self) -> list[str]:
        """Tell them to people."""
        share = 100 * self.late / max(1, self.calls)
        told = f"{self.told} told, {self.seated_first} seated before they could be"
        spread = f"p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms, longest {self.max_ms:.0f} ms"
        desks = ", ".join(
            f"{name} {1000 * _at(self.desk_waits, share):.0f} ms"
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("longest", 1.0))
        )
        wrong = [f"WRONG: {violation}" for violation in self.violations]
        return [
            f"{self.calls} calls of parties with phones, {told}",
            f"call → WeChat: {spread}; {self.late} ({share:.2f} %) after a second",
            f"a desk waited for its answer: {desks}",
            *(wrong or ["nothing missed, nothing twice, nothing after the end"]),
        ]


def judge_calls(
    product: Product, phones: Phones, *, people: Sequence[Person], hall: Hall
) -> CallVerdict:
    """Compare the product's calls with what WeChat took and what the phones show."""
    calls = read_rows(product.data_dir, _CALLS, queues=hall.queue_ids)
    taken = _taken(phones)
    violations: list[str] = []
    waits: list[float] = []
    seated_first = overtaken = 0
    for call in calls:
        name = message_id(UUID(call["ticket_id"]), TicketNoticeKind.CALLED, call["seq"])
        at, ended = taken.get(name), call["ended_at"]
        if at is None and ended is not None:
            # Seated before it was told: nothing to tell any more, but told late if it took long.
            seated_first += 1
            overtaken += ended - call["called_at"] > PROMISED_SECONDS
        elif at is None:
            violations.append(f"call {call['seq']} was never told")
        else:
            waits.append((at - call["called_at"]) * 1000)
            if ended is not None and at - ended > UNDER_WAY_SECONDS:
                violations.append(f"call {call['seq']} was told {at - ended:.2f} s after the end")
    violations += _doubled(phones, people, hall)
    waits.sort()
    return CallVerdict(
        calls=len(calls),
        told=len(waits),
        seated_first=seated_first,
        p50_ms=_at(waits, 0.5),
        p99_ms=_at(waits, 0.99),
        max_ms=_at(waits, 1.0),
        late=overtaken + sum(wait > PROMISED_SECONDS * 1000 for wait in waits),
        violations=violations,
    )


def _taken(phones: Phones) -> dict[str, float]:
    """When WeChat took each message, by our own name for it."""
    return {
        message["client_msg_id"]: datetime.fromisoformat(message["at"]).timestamp()
        for message in phones.books()["messages"]
        if message["client_msg_id"]
    }


def _doubled(phones: Phones, people: Sequence[Person], hall: Hall) -> list[str]:
    """What stands twice in somebody's chat, or is somebody else's."""
    wrong = []
    for person in people:
        shown = Counter(_told(message) for message in phones.read(person, kind="template"))
        for (title, code), count in shown.items():
            if title in {CALLED_TITLE, SOON_TITLE} and count > 1:
                wrong.append(f"{code} was told {count} times: {title}")
            if code != hall.codes[person.openid]:
                wrong.append(f"{hall.codes[person.openid]} was told of {code}")
    return wrong


def _told(message: dict[str, Any]) -> tuple[str, str]:
    fields = {field["key"]: field["value"] for field in message["fields"]}
    return message["title"], fields.get("character_string2", "")


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, int(len(ordered) * share + 0.999999) - 1)] if ordered else 0.0
