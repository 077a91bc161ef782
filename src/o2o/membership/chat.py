"""The chat commands of membership: balance, points, card, statement, coupons, the greeting."""

from collections.abc import Callable, Sequence
from html import escape
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.infra.database import Tx
from o2o.kernel.money import format_yuan
from o2o.membership.queries.members import MemberContext, list_member_contexts
from o2o.membership.queries.statements import RecentLine, list_recent_lines
from o2o.web.copy import Words
from o2o.wechat.chat.asks import AnswerMany, Ask, Given
from o2o.wechat.chat.tellings import Tellings
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import ChatRouter

STATEMENT_LINES = 5
# Under this name domains tell of the coupons a member has.
COUPONS = "membership.coupons"

Tell = Callable[[Ask, MemberContext], str]


def register(router: ChatRouter, *, words: Words, public_url: str) -> None:
    """Answer the commands of `commands.toml` and greet new followers with a one-tap card link."""
    answers = CardAnswers(words, public_url=public_url, tellings=router.tellings)
    router.command("balance", answers.told_by(answers.balance))
    router.command("points", answers.told_by(answers.points))
    router.command("card", answers.told_by(answers.card))
    router.command("statement", answers.statement)
    router.command("coupons", answers.coupons)
    router.on_follow(answers.greet)


class CardAnswers:
    """Figures for members, a card link for everybody else; one read for any number of asks."""

    def __init__(self, words: Words, *, public_url: str, tellings: Tellings | None = None) -> None:
        """Take texts from `membership.toml` and link to pages below `public_url`."""
        self._words = words
        self._tellings = tellings or Tellings()
        self._public_url = public_url

    def told_by(self, tell: Tell) -> AnswerMany:
        """Make an answer that reads all members once and tells each by `tell`."""

        async def answer(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
            members = await _members(tx, asks)
            return [
                TextReply(
                    tell(ask, member)
                    if (member := _of(members, ask)) is not None
                    else self._text(ask, "unbound")
                )
                for ask in asks
            ]

        return answer

    def balance(self, ask: Ask, member: MemberContext) -> str:
        """Say what the card holds, principal and bonus apart."""
        wallet = member.wallet
        return self._text(
            ask,
            "balance",
            balance=format_yuan(wallet.balance_fen),
            principal=format_yuan(wallet.principal_fen),
            bonus=format_yuan(wallet.bonus_fen),
        )

    def points(self, ask: Ask, member: MemberContext) -> str:
        """Say how many points there are."""
        return self._text(ask, "points", points=f"{member.wallet.points:,}")

    def card(self, ask: Ask, member: MemberContext) -> str:
        """Name the card and link to it."""
        card_no = " ".join(member.card_no[i : i + 4] for i in range(0, len(member.card_no), 4))
        return self._text(ask, "card", tier=escape(member.tier_name, quote=False), card_no=card_no)

    async def statement(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Tell the last movements of the card."""
        members = await _members(tx, asks)
        lines = await list_recent_lines(tx, list(members), most=STATEMENT_LINES) if members else {}
        return [
            TextReply(
                self._statement(ask, lines.get(member.member_id, []))
                if (member := _of(members, ask)) is not None
                else self._text(ask, "unbound")
            )
            for ask in asks
        ]

    async def coupons(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Tell which coupons a member has: what other domains tell of them, or that there are none.

        A domain that issues coupons adds to the telling COUPONS; membership itself has none.
        """
        members = await _members(tx, asks)
        texts = await self._tellings.told(COUPONS, tx, asks) if members else [[] for _ in asks]
        return [
            TextReply(
                self._text(ask, "unbound")
                if _of(members, ask) is None
                else "\n".join(told) or self._text(ask, "coupons_none")
            )
            for ask, told in zip(asks, texts, strict=True)
        ]

    async def greet(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        """Greet who follows: a card in one tap, or the card that is there already."""
        members = await _members(tx, asks)
        return [
            TextReply(self._text(ask, "greeting_unbound" if m is None else "greeting_bound"))
            for ask in asks
            for m in [_of(members, ask)]
        ]

    def _statement(self, ask: Ask, lines: Sequence[RecentLine]) -> str:
        if not lines:
            return self._text(ask, "statement_empty")
        told = [self._line(ask, line) for line in lines]
        return "\n".join([self._text(ask, "statement"), *told, self._text(ask, "statement_more")])

    def _line(self, ask: Ask, line: RecentLine) -> str:
        sign = "+" if line.amount_fen > 0 else "-"
        told = self._text(
            ask,
            "statement_line",
            at=f"{line.at.astimezone(ZoneInfo(line.timezone)):%m-%d %H:%M}",
            kind=self._words.text(f"membership.chat.kind_{line.kind}", ask.locale),
            store=escape(line.store_name, quote=False),
            amount=f"{sign}¥{format_yuan(abs(line.amount_fen))}",
            balance=format_yuan(line.balance_fen),
        )
        # Where no store took part there is nothing between the time and what happened.
        return told.replace("  ", " ")

    def _text(self, ask: Ask, key: str, **values: str) -> str:
        here = f"{self._public_url}/h5/{ask.account.slug}"
        return self._words.text(
            f"membership.chat.{key}",
            ask.locale,
            account=ask.account.name,
            card_url=f"{here}/card",
            wallet_url=f"{here}/wallet",
            **values,
        )


async def _members(tx: Tx, asks: Sequence[Ask]) -> dict[UUID, MemberContext]:
    bound = [ask.member_id for ask in asks if ask.member_id is not None]
    return await list_member_contexts(tx, bound) if bound else {}


def _of(members: dict[UUID, MemberContext], ask: Ask) -> MemberContext | None:
    return members.get(ask.member_id) if ask.member_id is not None else None
