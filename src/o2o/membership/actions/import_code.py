"""The keyed hash under which the code of an offline card is kept."""

from o2o.infra.seal import Seal


def code_hash(seal: Seal, *, card_no: str, code: str) -> bytes:
    """Hash a folded code together with its card, so that equal codes do not look equal."""
    return seal.hash_of(f"{card_no}:{code}", use="offline_card")
