"""Notice templates: the public library, and the ones an account has added (25 at most)."""

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.database import Transaction

TEMPLATES_MAX = 25
KEYWORDS_MAX = 5
WIDE_FROM = "\u2e80"


@dataclass(frozen=True, slots=True)
class ValueKind:
    """What values of one kind may be; see the comment in library.toml."""

    length_max: int | None
    width_max: int | None
    pattern: re.Pattern[str] | None

    def accepts(self, value: str) -> bool:
        if self.length_max is not None and len(value) > self.length_max:
            return False
        width = sum(2 if character >= WIDE_FROM else 1 for character in value)
        if self.width_max is not None and width > self.width_max:
            return False
        return self.pattern is None or self.pattern.fullmatch(value) is not None


@cache
def library() -> dict[str, dict[str, Any]]:
    """The public templates by their short id."""
    return {template["short_id"]: template for template in _file()["template"]}


@cache
def value_kinds() -> dict[str, ValueKind]:
    return {
        name: ValueKind(
            length_max=rule.get("length_max"),
            width_max=rule.get("width_max"),
            pattern=re.compile(rule["pattern"].replace("\n", "")) if "pattern" in rule else None,
        )
        for name, rule in _file()["kinds"].items()
    }


@cache
def _file() -> dict[str, Any]:
    text = files("wechat_sandbox").joinpath("data/library.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def kind_of(key: str) -> ValueKind:
    """The kind a keyword's key names: `character_string2` is a `character_string`."""
    return value_kinds()[key.rstrip("0123456789")]


@dataclass(frozen=True, slots=True)
class Template:
    """One template of an account; `fields` are `{"key", "label", "example"}` in their order."""

    template_id: str
    title: str
    fields: list[dict[str, str]]


def find_template(tx: Transaction, *, account: str, template_id: str) -> Template | None:
    row = tx.row(
        "SELECT template_id, title, fields FROM templates"
        " WHERE template_id = :template_id AND account = :account",
        template_id=template_id,
        account=account,
    )
    if row is None:
        return None
    return Template(row["template_id"], row["title"], json.loads(row["fields"]))


@endpoint("POST", "/cgi-bin/template/api_add_template", daily_limit=1000)
def add_template(call: ApiCall) -> Answer:
    source = library().get(call.text("template_id_short", missing=40246))
    if source is None:
        raise WeChatError(40246)
    fields = _chosen(source, call.body.get("keyword_name_list"))
    count = call.tx.number(
        "SELECT count(*) FROM templates WHERE account = :account", account=call.account.slug
    )
    if count >= TEMPLATES_MAX:
        raise WeChatError(45026)
    template_id = ids.new_template_id()
    call.tx.run(
        "INSERT INTO templates (template_id, account, short_id, title, fields, added_at)"
        " VALUES (:template_id, :account, :short_id, :title, :fields, :now)",
        template_id=template_id,
        account=call.account.slug,
        short_id=source["short_id"],
        title=source["title"],
        fields=json.dumps(fields, ensure_ascii=False),
        now=call.tx.now,
    )
    return {"errcode": 0, "errmsg": "ok", "template_id": template_id}


def _chosen(source: dict[str, Any], names: Any) -> list[dict[str, str]]:
    """The library's keywords in the order asked for. Raises WeChatError 40247."""
    if not isinstance(names, list) or not 1 <= len(names) <= KEYWORDS_MAX:
        raise WeChatError(40247)
    by_name = {keyword["name"]: keyword for keyword in source["keywords"]}
    if len(set(map(str, names))) != len(names) or not all(
        isinstance(name, str) and name in by_name for name in names
    ):
        raise WeChatError(40247)
    return [
        {"key": by_name[name]["key"], "label": name, "example": by_name[name]["example"]}
        for name in names
    ]


@endpoint("GET", "/cgi-bin/template/get_all_private_template", daily_limit=100_000)
def list_templates(call: ApiCall) -> Answer:
    rows = call.tx.rows(
        "SELECT template_id, title, fields FROM templates WHERE account = :account"
        " ORDER BY added_at, rowid",
        account=call.account.slug,
    )
    return {
        "template_list": [_listed(row["template_id"], row["title"], row["fields"]) for row in rows]
    }


def _listed(template_id: str, title: str, fields_json: str) -> dict[str, str]:
    fields = json.loads(fields_json)
    content = "\n".join(f"{field['label']}:{{{{{field['key']}.DATA}}}}" for field in fields)
    example = "\n".join(f"{field['label']}:{field['example']}" for field in fields)
    return {
        "template_id": template_id,
        "title": title,
        "primary_industry": "",
        "deputy_industry": "",
        "content": f"{content}\n",
        "example": f"{example}\n",
    }


@endpoint("POST", "/cgi-bin/template/del_private_template", daily_limit=1000)
def delete_template(call: ApiCall) -> Answer:
    template_id = call.text("template_id", missing=40037)
    if find_template(call.tx, account=call.account.slug, template_id=template_id) is None:
        raise WeChatError(40037)
    call.tx.run("DELETE FROM templates WHERE template_id = :id", id=template_id)
    return {"errcode": 0, "errmsg": "ok"}
