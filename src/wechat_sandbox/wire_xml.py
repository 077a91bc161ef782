"""WeChat's XML: written with CDATA the way WeChat writes it, read without entities or DTDs."""

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

_ELEMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FORBIDDEN_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
NESTING_MAX = 8


class BadXml(ValueError):
    """Not the small, plain XML that WeChat exchanges."""


def build(fields: Mapping[str, Any]) -> str:
    """Numbers stand bare, text in CDATA, a mapping nests, a list repeats `item`. Raises BadXml."""
    return f"<xml>{_children(fields)}</xml>"


def _children(fields: Mapping[str, Any]) -> str:
    for name in fields:
        if not _ELEMENT_NAME.fullmatch(name):
            raise BadXml(f"{name!r} cannot name an element")
    return "\n".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _children(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        clean = _FORBIDDEN_CHARACTERS.sub("", value)
        # A closing mark inside the text would end the section early; split it over two sections.
        return "<![CDATA[" + clean.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    if isinstance(value, list | tuple):
        return "".join(f"<item>{_value(item)}</item>" for item in value)
    raise BadXml(f"{type(value).__name__} has no form in XML")


class _Reader:
    """Builds nested dictionaries; a repeated tag becomes a list, a leaf its text."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) >= NESTING_MAX:
            raise BadXml("nested too deeply")
        self._open.append((name, {}, []))

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1][2].append(data)

    def end(self, _name: str) -> None:
        name, children, text = self._open.pop()
        value: Any = children or "".join(text).strip()
        if not self._open:
            if name != "xml":
                raise BadXml("the root is not <xml>")
            self.root = value
            return
        siblings = self._open[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]


def _refuse_doctype(*_declaration: Any) -> None:
    raise BadXml("a document type is not allowed")


def parse(document: bytes | str) -> dict[str, Any]:
    """The children of `<xml>`. Raises BadXml."""
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from error
    except UnicodeError as error:
        raise BadXml("not text") from error
    if not isinstance(reader.root, dict):
        raise BadXml("no fields")
    return reader.root
