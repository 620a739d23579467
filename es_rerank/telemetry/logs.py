"""One JSON line for each event, on standard error.

A search's line holds the fields of its SearchRecord: outcome, reason, sizes and times, never query text, never a header.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, TextIO

import structlog

from es_rerank.core.ports import SearchRecord
from es_rerank.core.reasons import Outcome


def configure(level: str, stream: TextIO = sys.stderr) -> None:
    """Send structlog's events, and what libraries log from WARNING up, to ``stream`` as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LibraryLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


class LibraryLines(logging.Formatter):
    """What libraries log, as JSON lines too."""

    def format(self, record: logging.LogRecord) -> str:
        """Event, logger and level; a traceback as one string."""
        line = {"event": record.getMessage(), "logger": record.name, "level": record.levelname.lower()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class SearchLines:
    """Writes a line for each search; passed-through ones only at level ``debug``, unless something went wrong."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind()

    def record(self, search: SearchRecord) -> None:
        """Write one line."""
        disposition = search.disposition
        quiet = disposition.outcome is Outcome.PASSED_THROUGH and not search.error
        level = logging.DEBUG if quiet else logging.INFO
        if not self._log.is_enabled_for(level):
            return
        fields: dict[str, Any] = {
            "index": search.index,
            "policy": search.policy,
            "outcome": disposition.outcome.value,
            "reason": disposition.reason.value if disposition.reason else None,
            "window": disposition.window,
            "scored": disposition.scored,
            "hits": search.hits,
            "status": search.status,
            "bytes_added": search.bytes_added,
        }
        for name in ("total_s", "upstream_s", "queue_s", "model_s", "own_s"):
            fields[name.replace("_s", "_ms")] = round(getattr(search, name) * 1000, 2)
        if search.error:
            fields["error"] = search.error
        self._log.log(level, "search", **{key: value for key, value in fields.items() if value is not None})
