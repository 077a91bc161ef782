"""How the chat says things of queues: texts of `queueing_chat.toml`, times, distances, waits."""

from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.crm.statuses import QueueStatus
from o2o.kernel.errors import Fact
from o2o.queueing.queries.crowds import Crowd, Line
from o2o.queueing.queries.tickets_in_chat import HeldTicket
from o2o.queueing.rules.notices import HOURS_FROM_MINUTES, in_words
from o2o.queueing.rules.wait_estimate import WaitEstimate, rounded_minutes
from o2o.web.copy import Words
from o2o.wechat.chat.asks import Ask

# Nearer than this is said in metres.
METRES_MAX = 1_000
# To how many metres a distance is said.
METRES_STEP = 10
DAYS_BY_NAME = 6


def minutes_of(line: Line) -> int:
    """Return the wait of one who joins a line now, in minutes as they are said."""
    return rounded_minutes(line.estimate.median_seconds) if line.estimate is not None else 0


class Phrases:
    """Words for one process; every method speaks the language of the ask."""

    def __init__(self, words: Words, *, public_url: str) -> None:
        """Link to pages below `public_url`."""
        self._words = words
        self._public_url = public_url

    def text(self, ask: Ask, key: str, **values: Any) -> str:
        """Return a text of the file; names and whatever people typed come escaped."""
        told = {name: escape(str(value), quote=False) for name, value in values.items()}
        return self.raw(ask, key, **told)

    def raw(self, ask: Ask, key: str, **values: Any) -> str:
        """Return a text of the file that is filled with texts of ours."""
        place = escape(ask.account.place_word, quote=False)
        return self._words.text(f"queueing_chat.{key}", ask.locale, place=place, **values)

    def linked(self, ask: Ask, key: str, **values: Any) -> str:
        """Return a text with links to the person's pages."""
        here = f"{self._public_url}/h5/{ask.account.slug}"
        ticket_id = values.pop("ticket_id", None)
        return self.text(
            ask, key, card_url=f"{here}/card", ticket_url=f"{here}/tickets/{ticket_id}", **values
        )

    def silence(self, ask: Ask, crowd: Crowd) -> str:
        """Say since when the hall's machine cannot be reached; empty while it can."""
        heard = [line.silent_since for line in crowd.lines if line.silent_since is not None]
        if not heard:
            return ""
        zone = ZoneInfo(crowd.timezone)
        at = max(heard).astimezone(zone)
        told = f"{at:%H:%M}"
        if at.date() != ask.now.astimezone(zone).date():
            told = self.text(ask, "time.date", month=at.month, day=at.day, time=told)
        return self._words.text("queueing_bridge.offline", ask.locale, at=told)

    def line(self, ask: Ask, line: Line) -> str:
        """Return the name of a line."""
        return line.name_en if ask.locale == "en" else line.name

    def line_of(self, ask: Ask, ticket: HeldTicket) -> str:
        """Return the name of the line in which a number stands."""
        return ticket.line_name_en if ask.locale == "en" else ticket.line_name

    def said(self, ask: Ask, at: datetime, *, timezone: str) -> str:
        """Return a time as people say it: today, tomorrow, a weekday, then the date."""
        zone = ZoneInfo(timezone)
        local = at.astimezone(zone)
        days = (local.date() - ask.now.astimezone(zone).date()).days
        time = f"{local:%H:%M}"
        if days <= 0:
            return self.text(ask, "time.today", time=time)
        if days == 1:
            return self.text(ask, "time.tomorrow", time=time)
        if days <= DAYS_BY_NAME:
            weekday = self.text(ask, f"time.weekday_{local.weekday()}")
            return self.text(ask, "time.weekday", weekday=weekday, time=time)
        return self.text(ask, "time.date", month=local.month, day=local.day, time=time)

    def distance(self, ask: Ask, metres: float) -> str:
        """Return a distance as people say it."""
        if metres < METRES_MAX - METRES_STEP / 2:
            count = max(METRES_STEP, round(metres / METRES_STEP) * METRES_STEP)
            return self.text(ask, "place.metres", count=count)
        kilometres = metres / 1_000
        count_said = f"{kilometres:.1f}" if kilometres < 10 else f"{kilometres:.0f}"
        return self.text(ask, "place.kilometres", count=count_said.removesuffix(".0"))

    def wait(self, ask: Ask, estimate: WaitEstimate | None) -> str:
        """Return a wait as a range, a long one in hours; equal ends as one figure."""
        if estimate is None or estimate.high_seconds <= 0:
            return self.text(ask, "held.wait_short")
        low, high = rounded_minutes(estimate.low_seconds), rounded_minutes(estimate.high_seconds)
        if low >= high:
            return self.text(ask, "held.wait_about", minutes=high)
        if high > HOURS_FROM_MINUTES:
            told = in_words(low, high)
            key = "held.wait_within_hours" if told.is_from_now else "held.wait_hours"
            return self.text(ask, key, low=told.low, high=told.high)
        return self.text(ask, "held.wait_range", low=low, high=high)

    def opening(self, ask: Ask, crowd: Crowd, key: str) -> str:
        """Return a text that says when a store gives numbers again, as far as that is known."""
        if crowd.next_opening_at is None:
            return self.text(ask, f"{key}_for_long")
        opening = self.said(ask, crowd.next_opening_at, timezone=crowd.timezone)
        return self.text(ask, key, opening=opening)

    def line_state(self, ask: Ask, line: Line) -> str:
        """Say how full a line is."""
        if line.is_taking:
            key = "wait.line" if line.people else "wait.line_nobody"
        elif line.status is QueueStatus.PAUSED:
            key = "wait.line_paused"
        else:
            key = "wait.line_closed"
        name = self.line(ask, line)
        return self.text(
            ask, key, code=line.code, line=name, people=line.people, minutes=minutes_of(line)
        )

    def not_taking(self, ask: Ask, crowd: Crowd) -> str:
        """Say that a store gives no numbers now: closed, or paused with so many waiting."""
        if crowd.is_closed:
            return self.opening(ask, crowd, "wait.closed")
        if crowd.people:
            return self.text(ask, "wait.paused", people=crowd.people)
        return self.text(ask, "wait.paused_nobody")

    def standing(self, ask: Ask, ticket: HeldTicket) -> str:
        """Say how a held number stands, in lines."""
        told = [self.text(ask, "held.at", store=ticket.store_name, party=ticket.party_size)]
        if ticket.parties_ahead is not None:
            wait = self.wait(ask, ticket.estimate)
            told.append(self.ahead(ask, ticket.parties_ahead, wait, has_tables=ticket.has_table))
        elif ticket.is_active:
            told.append(self.text(ask, "held.called", desk=self._desk(ask, ticket)))
        else:
            told.append(
                self.text(ask, "held.missed" if ticket.can_return else "held.missed_for_good")
            )
        if ticket.is_active:
            told.append(self.follow(ask, ticket.ticket_id))
        return "\n".join(told)

    def ahead(self, ask: Ask, ahead: int, wait: str, *, has_tables: bool) -> str:
        """Say how many are before somebody, and how long that takes."""
        if ahead == 0:
            return self.text(ask, "held.next")
        key = "held.ahead_tables" if has_tables else "held.ahead_people"
        return self.text(ask, key, ahead=ahead, wait=wait)

    def follow(self, ask: Ask, ticket_id: UUID) -> str:
        """Say where a number can be followed, and how it is given up."""
        return self.linked(ask, "held.follow", ticket_id=ticket_id)

    def reason(self, ask: Ask, fact: Fact) -> str:
        """Return the words of a fact that has none of its own in chat."""
        parts = (
            self._words.find(f"errors.{fact.code}.{part}", ask.locale, **fact.detail)
            for part in ("title", "action")
        )
        return "".join(part for part in parts if part)

    def _desk(self, ask: Ask, ticket: HeldTicket) -> str:
        if ticket.has_table or not ticket.desk:
            return self.text(ask, "held.called_door")
        if ticket.desk.isdigit():
            return self.text(ask, "held.called_desk", desk=ticket.desk)
        return ticket.desk
