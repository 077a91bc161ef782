"""WeChat's XML to plain dictionaries, by expat; whatever WeChat never sends is refused."""

import re
from typing import Any, Final
from xml.parsers import expat

from o2o.wechat.codec.errors import CallbackRefused, RefusalCode

BODY_SIZE_MAX: Final = 1 << 20
DEPTH_MAX: Final = 8
# A mass-send result for eight articles has about a hundred elements; a megabyte of "<a/>" has
# 260,000.
ELEMENT_COUNT_MAX: Final = 4096

_ROOT: Final = "xml"
# What a person typed: its spaces are kept. Elsewhere they are the sender's indentation.
_EXACT_TAG: Final = "Content"
_EXACT_MARK: Final = b"<Content"
# expat goes on reading its chunk after a refusal, so a refused flood costs one chunk and not its
# length.
_CHUNK_SIZE: Final = 16_384
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_NAMES: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_BAD_ENCODING_CODES: Final = frozenset(
    {
        expat.errors.codes[expat.errors.XML_ERROR_BAD_CHAR_REF],
        expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
        expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
    }
)
_WHITESPACE: Final = re.compile(rb"[ \t\r\n]*")
_OUTER_SHAPE: Final = re.compile(
    rb"[ \t\r\n]*<xml>[ \t\r\n]*<ToUserName><!\[CDATA\[([\w@.-]*)\]\]></ToUserName>"
    rb"[ \t\r\n]*<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]*)\]\]></Encrypt>[ \t\r\n]*</xml>[ \t\r\n]*"
)


_FLAT_SIZE_MAX: Final = 4096
# CDATA without "]", carriage returns and controls, or a number: what expat could only agree with.
_PLAIN_VALUE: Final = r"(?:<!\[CDATA\[([^\]\x00-\x08\x0b-\x1f]*)\]\]>|([0-9]+))"
_FLAT_START: Final = re.compile(r"<xml>[ \t\n]*")
_FLAT_END: Final = "</xml>"
_FLAT_SPACES: Final = " \t\n"
_FIELD: Final = re.compile(rf"(<([A-Za-z]\w*)>{_PLAIN_VALUE}</\2>[ \t\n]*)", re.ASCII)
# What people type comes in this order; one match for all of it costs a third of one for each field.
_TEXT_SHAPE: Final = re.compile(
    r"<xml>[ \t\n]*<ToUserName><!\[CDATA\[([\w@.-]*)\]\]></ToUserName>"
    r"[ \t\n]*<FromUserName><!\[CDATA\[([\w@.-]*)\]\]></FromUserName>"
    r"[ \t\n]*<CreateTime>([0-9]+)</CreateTime>"
    r"[ \t\n]*<MsgType><!\[CDATA\[text\]\]></MsgType>"
    r"[ \t\n]*<Content><!\[CDATA\[([^\]\x00-\x08\x0b-\x1f]*)\]\]></Content>"
    r"[ \t\n]*<MsgId>([0-9]+)</MsgId>[ \t\n]*</xml>[ \t\n]*",
    re.ASCII,
)
# U+FFFE and U+FFFF in UTF-8 begin with these; XML forbids them.
_NONCHARACTER_MARK: Final = b"\xef\xbf"


def _parse_flat(body: bytes) -> dict[str, Any] | None:
    """The fields of a usual message without a parser; None for whatever expat should judge."""
    if _NONCHARACTER_MARK in body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if (typed := _TEXT_SHAPE.fullmatch(text)) is not None:
        to_user, from_user, created_at, content, message_id = typed.groups()
        return {
            "ToUserName": to_user,
            "FromUserName": from_user,
            "CreateTime": created_at,
            "MsgType": "text",
            "Content": content,
            "MsgId": message_id,
        }
    start = _FLAT_START.match(text)
    if start is None:
        return None
    found = _FIELD.findall(text, start.end())
    # One pass, which passes over what is no field: then the fields are not all of the text.
    inner, _, rest = text.rpartition(_FLAT_END)
    if inner[start.end() :] != "".join([field[0] for field in found]) or rest.strip(_FLAT_SPACES):
        return None
    fields = {
        tag: number or (value if tag == _EXACT_TAG else value.strip())
        for _, tag, value, number in found
    }
    return fields if found and len(fields) == len(found) else None


def parse_xml(body: bytes) -> dict[str, Any]:
    """The children of ``<xml>``: texts, dictionaries for parents, lists for repeated tags.

    Raises CallbackRefused: body_empty, body_too_large (bytes, depth, number of elements),
    json_unsupported, dtd_forbidden, encoding_invalid, xml_broken. Attributes and text between
    elements are dropped.
    """
    if len(body) > BODY_SIZE_MAX:
        raise CallbackRefused(RefusalCode.BODY_TOO_LARGE, "bytes")
    if len(body) <= _FLAT_SIZE_MAX and (flat := _parse_flat(body)) is not None:
        return flat
    if not body.startswith(b"<xml>"):
        _check_prolog(body)
    tree = _Tree()
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.add_text
    parser.XmlDeclHandler = _check_declaration
    parser.StartDoctypeDeclHandler = _refuse_doctype
    if _EXACT_MARK in body:
        parser.StartCdataSectionHandler = tree.start_cdata
        parser.EndCdataSectionHandler = tree.end_cdata
    try:
        fed = 0
        while len(body) - fed > _CHUNK_SIZE:
            parser.Parse(body[fed : fed + _CHUNK_SIZE], False)
            fed += _CHUNK_SIZE
        parser.Parse(body[fed:], True)
    except expat.ExpatError as error:
        raise _refusal_of(error, body) from None
    return tree.fields()


def parse_outer(body: bytes) -> dict[str, Any]:
    """As :func:`parse_xml`; the usual encrypted body is read without a parser."""
    if len(body) <= BODY_SIZE_MAX and (match := _OUTER_SHAPE.fullmatch(body)) is not None:
        to_user, encrypt = match.groups()
        return {"ToUserName": to_user.decode("ascii"), "Encrypt": encrypt.decode("ascii")}
    return parse_xml(body)


class _Tree:
    """Collects what expat reports; holds no parser, so that no cycle awaits the collector."""

    __slots__ = ("_cdata_end", "_count", "_nodes", "_text")

    def __init__(self) -> None:
        # Open elements, outermost first; None until the element turns out to have children.
        self._nodes: list[dict[str, Any] | None] = [None]
        self._text = ""
        self._count = 0
        # Length of the text when the last CDATA section of the element closed; -1 before the first.
        self._cdata_end = -1

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._text = ""
        self._count += 1
        if self._count > ELEMENT_COUNT_MAX or len(self._nodes) > DEPTH_MAX:
            raise CallbackRefused(RefusalCode.BODY_TOO_LARGE, "elements or depth")
        self._nodes.append(None)

    def add_text(self, text: str) -> None:
        self._text += text

    def start_cdata(self) -> None:
        if self._cdata_end < 0 and self._text.isspace():
            self._text = ""

    def end_cdata(self) -> None:
        self._cdata_end = len(self._text)

    def end(self, tag: str) -> None:
        nodes = self._nodes
        value: Any = nodes.pop()
        if value is None:
            value = self._exact_text() if tag == _EXACT_TAG else self._text.strip()
        self._text = ""
        self._cdata_end = -1
        siblings = nodes[-1]
        if siblings is None:
            nodes[-1] = {tag: value}
        elif tag not in siblings:
            siblings[tag] = value
        elif isinstance(earlier := siblings[tag], list):
            earlier.append(value)
        else:
            siblings[tag] = [earlier, value]

    def fields(self) -> dict[str, Any]:
        """The children of the root, none for one without. Raises CallbackRefused."""
        document = self._nodes[0]
        if document is None or _ROOT not in document:
            raise CallbackRefused(RefusalCode.XML_BROKEN, "root is not xml")
        children = document[_ROOT]
        return children if isinstance(children, dict) else {}

    def _exact_text(self) -> str:
        end = self._cdata_end
        return self._text[:end] if end >= 0 and self._text[end:].isspace() else self._text


def _check_prolog(body: bytes) -> None:
    """Judge what stands before the root without a parser, so that a DTD is never even read.

    Linear in the prolog, which is empty in WeChat's own messages. Raises CallbackRefused.
    """
    if body.startswith(_UTF16_MARKS) or b"\0" in body[:2]:
        # expat recognises UTF-16 whatever it is told, and what follows here reads bytes.
        raise CallbackRefused(RefusalCode.ENCODING_INVALID, "UTF-16")
    position = len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0
    while True:
        # Matched in place, never sliced: a megabyte of "<??>" stays linear.
        spaces = _WHITESPACE.match(body, position)
        assert spaces is not None  # The pattern matches no characters, too.
        position = spaces.end()
        if position == len(body):
            raise CallbackRefused(RefusalCode.BODY_EMPTY)
        if body.startswith(b"<?", position):
            opening, closing = b"<?", b"?>"
        elif body.startswith(b"<!--", position):
            opening, closing = b"<!--", b"-->"
        else:
            break
        end = body.find(closing, position + len(opening))
        if end < 0:
            raise CallbackRefused(RefusalCode.XML_BROKEN, "unclosed prolog")
        position = end + len(closing)
    if body.startswith(b"<!", position):
        raise CallbackRefused(RefusalCode.DTD_FORBIDDEN)
    if body.startswith((b"{", b"["), position):
        raise CallbackRefused(RefusalCode.JSON_UNSUPPORTED, "set the account's data format to XML")


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    # The bytes are read as UTF-8 whatever is declared; text declared otherwise would be misread in
    # silence.
    if encoding is not None and encoding.lower() not in _UTF8_NAMES:
        raise CallbackRefused(RefusalCode.ENCODING_INVALID, "declared encoding")


def _refuse_doctype(*_declaration: object) -> None:
    # For whatever prolog expat might read in another way than _check_prolog does.
    raise CallbackRefused(RefusalCode.DTD_FORBIDDEN)


def _refusal_of(error: expat.ExpatError, body: bytes) -> CallbackRefused:
    """Tell bad text from broken markup; looked into only after expat has refused."""
    if error.code in _BAD_ENCODING_CODES or b"\0" in body:
        return CallbackRefused(RefusalCode.ENCODING_INVALID, "character")
    try:
        body.decode()
    except UnicodeDecodeError:
        return CallbackRefused(RefusalCode.ENCODING_INVALID, "not UTF-8")
    return CallbackRefused(RefusalCode.XML_BROKEN, expat.ErrorString(error.code))
