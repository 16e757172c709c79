"""Logs: one event a line with its fields, to stderr, without secrets or personal data."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from connector import trace

if TYPE_CHECKING:
    from structlog.types import EventDict, Processor, WrappedLogger

    from connector.settings import Settings

REDACTED = "[redacted]"
PRIVATE_KEY = re.compile(
    r"token|secret|authorization|password|passwd|cookie|signature|email|body|payload|api_?key",
    re.IGNORECASE,
)
PRIVATE_TEXT = (
    # Whoever knows the last part of these paths may post to them.
    re.compile(r"(/webhooks/(?:salesforce|platform/[^/\s?#\"']+)/)[^/\s?#\"']+", re.IGNORECASE),
    re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    # An address that an error quotes.
    re.compile(r"()[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
)
# What has none of their signs is not searched: most texts are an id or a word.
_SIGNS = re.compile(r"/webhooks/|bearer|basic|@", re.IGNORECASE)
NOISY = (
    *("rq", "rq.worker", "rq.job", "rq.queue", "rq.registry", "redis", "werkzeug"),
    *("_granian", "granian.access", "urllib3", "hubspot", "sqlalchemy", "alembic"),
)


class _Stderr(logging.Handler):
    """Writes to what stderr is now; a record it can't write is dropped, never shown raw."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


def configure(settings: Settings) -> None:
    """Route our logs and the libraries' through one chain; may be called again."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Stderr()
    handler.setFormatter(_formatter(settings.log_format))
    root = logging.getLogger()
    root.handlers[:] = [one for one in root.handlers if not isinstance(one, _Stderr)] + [handler]
    root.setLevel(settings.log_level)
    for name in NOISY:
        _silence(logging.getLogger(name), settings.log_level)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blank every field with a telling name, and every token inside a text."""
    return {key: _clean(key, value) for key, value in event.items()}


def _follow(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Name what is worked on, where the line does not say so itself."""
    found = trace.all_current()
    if found and "trace" not in event and "traces" not in event:
        event.update({"trace": found[0]} if len(found) == 1 else {"traces": found})
    return event


def mask(text: str) -> str:
    """Blank the secrets that a text may carry: webhook path tokens, credentials in URLs."""
    if _SIGNS.search(text) is None:
        return text
    for pattern in PRIVATE_TEXT:
        text = pattern.sub(rf"\g<1>{REDACTED}", text)
    return text


@lru_cache(maxsize=1024)
def _is_private(key: str) -> bool:
    return PRIVATE_KEY.search(key) is not None


def _clean(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _is_private(key):
        return REDACTED
    return _clean_value(key, value)


def _clean_value(key: str, value: object) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(inner): _clean(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, one) for one in value]
    return mask(str(value))


def _shared() -> list[Processor]:
    return [
        _follow,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]


def _formatter(style: str) -> logging.Formatter:
    renderer: Processor = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )


def _silence(logger: logging.Logger, level: str) -> None:
    """Leave a library its warnings, on our handler alone."""
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
