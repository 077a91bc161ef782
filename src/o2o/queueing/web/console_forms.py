"""What managers type about queues, read: whole numbers, letters, names; wrong ones are named."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from o2o.kernel.text import without_controls
from o2o.queueing.errors import QueueSettingsInvalid
from o2o.queueing.errors_arrange import QueueWrong
from o2o.queueing.rules.arrangement import DeskDraft, QueueDraft

Form = Mapping[str, Any]
CHARS_MAX = 200
_NONSENSE = -1


def typed(form: Form, name: str) -> str:
    """Return what was typed into a field, without what nobody sees."""
    value = form.get(name, "")
    return without_controls(value).strip()[:CHARS_MAX] if isinstance(value, str) else ""


def whole(form: Form, name: str) -> int | None:
    """Return a whole number, None when it is none or too long to be meant."""
    text = typed(form, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def read_setting(form: Form, name: str) -> int:
    """Return a number of the settings. Raises QueueSettingsInvalid."""
    number = whole(form, name)
    if number is None:
        raise QueueSettingsInvalid(field=name)
    return number


def read_queue(form: Form) -> QueueDraft:
    """Return the queue somebody typed; check_queue says whether it can be. Raises QueueWrong."""
    numbers = {
        name: whole(form, name)
        for name in ("party_size_min", "party_size_max", "servers", "minutes_per_party", "rank")
    }
    for name, number in numbers.items():
        if number is None:
            raise QueueWrong(field=name, least=1, most=99)
    return QueueDraft(
        code=typed(form, "code").upper(),
        name=typed(form, "name"),
        name_en=typed(form, "name_en"),
        **{name: number if number is not None else _NONSENSE for name, number in numbers.items()},
    )


def read_desk(form: Form) -> DeskDraft:
    """Return the desk somebody typed."""
    code = typed(form, "code")
    return DeskDraft(code=code, name=typed(form, "name") or code)


def read_ids(values: Iterable[Any]) -> list[UUID]:
    """Return the ids among ticked boxes; what is none is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(str(value)))
        except ValueError:
            continue
    return found
