"""Log lines: structured, on one line each, without secrets."""

import logging
import re
import sys
from typing import Any

import structlog
import structlog.tracebacks
from structlog.types import EventDict, Processor

LONGEST_VALUE = 2_000
_SECRET = re.compile(r"(?i)(pass(word)?|secret|token|authorization|cookie|ssn|recovery)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def _tame(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keep each value on one line, short, and each secret out of it."""
    for name, value in event.items():
        if name in ("exc_info", "exception"):
            continue
        if _SECRET.search(name):
            event[name] = "[hidden]"
        elif isinstance(value, str):
            value = _CONTROL.sub(lambda found: repr(found.group())[1:-1], value)
            cut = value[:LONGEST_VALUE]
            event[name] = cut if cut == value else f"{cut}… ({len(value)} characters)"
    return event


def start_logging(form: str, level: str) -> None:
    """Send structlog's and the standard library's lines to standard error in one shape."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tame,
    ]
    last: Processor
    if form == "json":
        # Without the local variables: they hold what must never be logged.
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(transformer))
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=last,
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("alembic", "huey"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
