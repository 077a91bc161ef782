"""Structured logs on stderr: one JSON line per event, with the trace id, without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from o2o.infra.trace import current_trace_id

_SECRET_NAMES = re.compile(
    r"secret|token|password|pin$|^pin|authorization|cookie|aes_key|api_key$|member_code|^code$",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LONG_CODE = re.compile(r"(?<!\d)90\d{18}(?!\d)")
_SECRET_IN_URL = re.compile(
    r"((?:secret|access_token|code|ticket|signature)=)[^&\s\"']+", re.IGNORECASE
)


def scrub(value: Any, name: str = "") -> Any:
    """Return a value fit for a log: secrets by name gone, phones and member codes masked."""
    if name and _SECRET_NAMES.search(name) and value is not None:
        return "[hidden]"
    if isinstance(value, str):
        masked = _PHONE.sub(r"\1****\2", value)
        masked = _LONG_CODE.sub("90[hidden]", masked)
        return _SECRET_IN_URL.sub(r"\1[hidden]", masked)
    if isinstance(value, dict):
        return {key: scrub(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item) for item in value]
    return value


def _scrub_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # `error_code` is ours to show; a bare `code` may be a member's or OAuth's.
    return {name: scrub(value, name) for name, value in event.items()}


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if trace_id := current_trace_id():
        event.setdefault("trace_id", trace_id)
    return event


def configure_logging(*, as_json: bool, level: int = logging.INFO) -> None:
    """Set logging up for this process; library logs go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "urllib3", "_granian.asgi", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _to_json(value: Any, **_: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
