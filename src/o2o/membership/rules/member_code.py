"""Member codes and what a scanner may read instead of one.

A member code is 20 digits: `90`, 16 random digits, 2 check digits (ISO 7064 MOD 97-10). WeChat Pay
codes are 18 digits from 10 to 15, Alipay's 16 to 24 digits from 25 to 30 (both from the operators'
public payment-code documents), so that ours cannot be taken for theirs. A card number is 16
digits with a Luhn check digit (ISO/IEC 7812-1).
"""

import re
import secrets
import struct
import unicodedata
from enum import StrEnum

import msgspec

PREFIX = "90"
CODE_DIGITS = 20
RANDOM_DIGITS = 16
CARD_DIGITS = 16
# Longer texts are no code of anybody's and are not even looked at.
SCAN_CHARS_MAX = 256

_CODE = re.compile(r"90[0-9]{18}", re.ASCII)
_WECHAT_PAY = re.compile(r"1[0-5][0-9]{16}", re.ASCII)
_ALIPAY = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# What scanners add around a code and people between its digits.
_FILLING = re.compile(r"[\s\-\u00b7\u200b\u2060\ufeff]+")


# What a digit counts in a Luhn sum, where it is doubled and where it is not.
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


class ScanKind(StrEnum):
    """What a scanned text is."""

    MEMBER_CODE = "member_code"
    CARD_NO = "card_no"
    WECHAT_PAY = "wechat_pay"
    ALIPAY = "alipay"
    OUR_PAGE = "our_page"
    MISREAD = "misread"
    UNREADABLE = "unreadable"


class ScannedCode(msgspec.Struct, frozen=True):
    """A scanned text, understood: its kind and, for member codes and cards, its digits."""

    kind: ScanKind
    digits: str = ""


def check_digits(body: str) -> str:
    """Return two digits after which the whole number leaves 1 when divided by 97."""
    return f"{98 - int(body) * 100 % 97:02d}"


def new_member_code() -> str:
    """Make a code nobody can guess: 53 bits of randomness."""
    body = f"{PREFIX}{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
    return body + check_digits(body)


def is_member_code(digits: str) -> bool:
    """Whether the digits have a member code's form and their check digits fit."""
    return _CODE.fullmatch(digits) is not None and int(digits) % 97 == 1


def luhn_digit(body: str) -> str:
    """Return the Luhn check digit for the digits before it."""
    digits = body.encode("ascii")[::-1]
    total = sum(digits[::2].translate(_DOUBLED)) + sum(digits[1::2].translate(_PLAIN))
    return str(-total % 10)


def new_card_no(prefix: str) -> str:
    """Make a card number of 16 digits that begins with the brand's prefix."""
    return new_card_nos(prefix, 1)[0]


def new_card_nos(prefix: str, count: int, *, share: int = 0, of: int = 1) -> list[str]:
    """Make so many at once, of which two may be the same: asking for chance costs more than they.

    Of 64 random bits each: the lowest numbers are likelier by less than one in ten million. Who
    draws from one `share` of so many never draws the number of another's.
    """
    free = CARD_DIGITS - 1 - len(prefix)
    most = 10**free // of
    drawn = struct.unpack(f"{count}Q", secrets.token_bytes(8 * count))
    bodies = [f"{prefix}{number % most * of + share:0{free}d}" for number in drawn]
    return [body + luhn_digit(body) for body in bodies]


def is_card_no(digits: str) -> bool:
    """Whether the digits have a card number's form and the check digit fits."""
    return (
        len(digits) == CARD_DIGITS
        and _DIGITS.fullmatch(digits) is not None
        and luhn_digit(digits[:-1]) == digits[-1]
    )


def classify_scan(text: str, *, public_url: str = "") -> ScannedCode:
    """Say what a scanned or typed text is. Never opens anything.

    Tolerates full-width digits, spaces, hyphens, and the newline a keyboard scanner sends.
    """
    if len(text) > SCAN_CHARS_MAX:
        return ScannedCode(ScanKind.UNREADABLE)
    folded = unicodedata.normalize("NFKC", text).strip()
    if is_page_of(folded, public_url):
        return ScannedCode(ScanKind.OUR_PAGE)
    digits = _FILLING.sub("", folded)
    if _DIGITS.fullmatch(digits) is None:
        return ScannedCode(ScanKind.UNREADABLE)
    return _classify_digits(digits)


def _classify_digits(digits: str) -> ScannedCode:
    if is_member_code(digits):
        return ScannedCode(ScanKind.MEMBER_CODE, digits)
    if is_card_no(digits):
        return ScannedCode(ScanKind.CARD_NO, digits)
    if _WECHAT_PAY.fullmatch(digits):
        return ScannedCode(ScanKind.WECHAT_PAY)
    # Twenty digits are a member code before they are Alipay's, if one wrong digit makes them so.
    if _ALIPAY.fullmatch(digits) and not is_one_digit_off(digits):
        return ScannedCode(ScanKind.ALIPAY)
    # A digit lost, doubled or misread, but nothing that anybody else would print.
    is_near = len(digits) in {CARD_DIGITS, CODE_DIGITS} or (
        digits.startswith(PREFIX) and abs(len(digits) - CODE_DIGITS) <= 2
    )
    return ScannedCode(ScanKind.MISREAD if is_near else ScanKind.UNREADABLE)


def is_one_digit_off(digits: str) -> bool:
    """Whether 20 digits become a member code when the first of them is set right."""
    return len(digits) == CODE_DIGITS and is_member_code(PREFIX[0] + digits[1:])


def is_page_of(text: str, public_url: str) -> bool:
    """Whether a text is an address below our own public one."""
    return bool(public_url) and (text == public_url or text.startswith(f"{public_url}/"))
