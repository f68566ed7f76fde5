"""Logs of what the house does: for people on a terminal, as JSON lines for a service manager.

No post text, no handle and no secret is ever passed to a log; events carry names, counts and times.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, json_lines: bool | None = None) -> None:
    """Set logging up once, on stderr; `json_lines` None means JSON unless stderr is a terminal."""
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # vendors' libraries log requests, some with their credentials: only their warnings are let through
    # a failed job is logged by the scheduler itself, without the traceback that could quote a post
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")


def log() -> structlog.typing.FilteringBoundLogger:
    """Return the logger."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
