"""Tables that say who somebody is: members, fans, identities, consents, what was noted of them."""

from o2o.membership.queries.personal_data.knowledge import (
    ERASED,
    OF_FAN,
    OF_MEMBER,
    Fate,
    Knowledge,
)

_LOGINS_ARE_BRIEF = "signing in leaves a reference that says nothing and is gone in days"

WHO: tuple[Knowledge, ...] = (
    Knowledge(
        table="web_sessions",
        whose=OF_FAN,
        fate=Fate.DELETE,
        given="t.created_at, t.last_seen_at",
        order="t.created_at",
    ),
    Knowledge(table="oauth_states", whose=OF_FAN, fate=Fate.DELETE, untold=_LOGINS_ARE_BRIEF),
    Knowledge(
        table="phone_verifications",
        # Whoever asked for a code to this phone: the number stands in the row.
        whose=f"({OF_FAN} OR t.phone = ANY(CAST(:phones AS text[])))",
        fate=Fate.DELETE,
        given="t.phone, t.purpose, t.created_at, t.proved_at",
        order="t.created_at",
    ),
    Knowledge(
        table="fans",
        whose="t.id = ANY(CAST(:fan_ids AS uuid[]))",
        fate=Fate.DELETE,
        given=(
            "a.name AS account, t.openid, t.unionid, t.nickname, t.avatar_url, t.is_following,"
            " t.followed_at, t.unfollowed_at, t.scene, t.created_at"
        ),
        joins="JOIN official_accounts a ON a.id = t.account_id",
        order="t.created_at",
    ),
    Knowledge(
        table="member_identities",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.kind, t.value, t.created_at",
        order="t.created_at, t.kind",
    ),
    Knowledge(
        table="member_merge_moves",
        whose=(
            "t.merge_id IN (SELECT id FROM member_merges"
            " WHERE from_member_id = ANY(CAST(:member_ids AS uuid[]))"
            " OR into_member_id = ANY(CAST(:member_ids AS uuid[])))"
        ),
        fate=Fate.DELETE,
        untold="which rows a merge moved, told by member_merges",
    ),
    Knowledge(
        table="member_merges",
        whose=(
            "(t.from_member_id = ANY(CAST(:member_ids AS uuid[]))"
            " OR t.into_member_id = ANY(CAST(:member_ids AS uuid[])))"
        ),
        fate=Fate.SCRUB,
        scrub="snapshot = '{}'::jsonb",
        why="the books moved between the two numbers",
        given="t.merged_at, t.undone_at, t.snapshot",
        order="t.merged_at",
    ),
    Knowledge(
        table="members",
        whose="t.id = ANY(CAST(:member_ids AS uuid[]))",
        fate=Fate.SCRUB,
        scrub=(
            "status = 'deleted', deleted_at = :now, merged_into_id = NULL, name = NULL,"
            " phone = NULL, phone_verified_at = NULL, birthday = NULL, home_store_id = NULL,"
            " profiling_refused_at = NULL, pay_pin_hash = NULL, pay_pin_failures = 0,"
            " pay_pin_locked_at = NULL"
        ),
        why="the number under which the books know somebody",
        given=(
            "t.name, t.phone, t.phone_verified_at, t.birthday, i.name AS tier,"
            " s.name AS home_store, t.joined_at, t.profiling_refused_at,"
            " t.pay_pin_hash IS NOT NULL AS has_pay_pin"
        ),
        joins="JOIN tiers i ON i.id = t.tier_id LEFT JOIN stores s ON s.id = t.home_store_id",
        order="t.joined_at",
    ),
    Knowledge(
        table="cards",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub="status = 'replaced'",
        why="so that the number is never given to somebody else",
        given="t.card_no, t.status, t.issued_at",
        order="t.issued_at",
    ),
    Knowledge(
        table="offline_cards",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub="status = 'replaced', code_hash = NULL",
        why="so that a card of that number is not taken for a new one",
        given="t.card_no, t.status, t.created_at, t.bound_at",
        order="t.created_at",
    ),
    Knowledge(
        table="consents",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub="withdrawn_at = coalesce(t.withdrawn_at, :now)",
        why="proof that there was a consent, and until when",
        given="t.purpose, t.terms_version, t.given_at, t.withdrawn_at",
        order="t.given_at",
    ),
    Knowledge(
        table="member_tags",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.tag, t.added_at",
        order="t.added_at",
    ),
    Knowledge(
        table="member_notes",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.body, t.written_at",
        order="t.written_at",
    ),
    Knowledge(
        table="member_relations",
        whose=f"({OF_MEMBER} OR t.other_id = ANY(CAST(:member_ids AS uuid[])))",
        fate=Fate.DELETE,
        # The other one is somebody else's data: only what joins the two is told.
        given="t.kind, t.added_at",
        order="t.added_at",
    ),
    Knowledge(
        table="declared_tastes",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.kind, t.word, t.declared_at",
        order="t.declared_at",
    ),
    Knowledge(
        table="tier_moves",
        whose=OF_MEMBER,
        fate=Fate.SCRUB,
        scrub=f"note = CASE WHEN t.note IS NULL THEN NULL ELSE '{ERASED}' END",
        why="how many reached which tier",
        given="o.name AS from_tier, n.name AS to_tier, t.reason, t.note, t.moved_at",
        joins="JOIN tiers o ON o.id = t.from_tier_id JOIN tiers n ON n.id = t.to_tier_id",
        order="t.moved_at",
    ),
)
