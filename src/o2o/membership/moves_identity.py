"""The legal moves of members and their cards."""

from o2o.crm.statuses import CardStatus, MemberStatus, OfflineCardStatus
from o2o.kernel.moves import Moves

MEMBER_MOVES = Moves(
    {
        MemberStatus.ACTIVE: {MemberStatus.MERGED, MemberStatus.DELETED},
        # Apart again within seven days.
        MemberStatus.MERGED: {MemberStatus.ACTIVE, MemberStatus.DELETED},
    },
    final={MemberStatus.DELETED},
)

CARD_MOVES = Moves(
    {
        CardStatus.ACTIVE: {CardStatus.LOST, CardStatus.REPLACED},
        # When a merge is undone.
        CardStatus.REPLACED: {CardStatus.ACTIVE},
    },
    final={CardStatus.LOST},
)

OFFLINE_CARD_MOVES = Moves(
    {
        OfflineCardStatus.UNBOUND: {OfflineCardStatus.BOUND, OfflineCardStatus.LOST},
        OfflineCardStatus.BOUND: {
            OfflineCardStatus.UNBOUND,
            OfflineCardStatus.LOST,
            OfflineCardStatus.REPLACED,
        },
        OfflineCardStatus.LOST: {OfflineCardStatus.REPLACED},
    },
    final={OfflineCardStatus.REPLACED},
)
