"""One JSON line for each search."""

from __future__ import annotations

import io
import json
import logging
import sys

import msgspec

from es_rerank.core.ports import SearchRecord
from es_rerank.core.reasons import Disposition, Outcome
from es_rerank.telemetry.logs import LibraryLines, SearchLines, configure

RECORD = SearchRecord(
    index="books",
    policy="books*",
    disposition=Disposition(Outcome.RERANKED, None, 100, 98),
    status=200,
    hits=10,
    total_s=0.05,
    upstream_s=0.01,
    queue_s=0.002,
    model_s=0.03,
    own_s=0.008,
    bytes_added=900,
)


def test_a_search_is_one_line(log_stream: io.StringIO) -> None:
    """Words of the closed list, times in milliseconds, no query text."""
    SearchLines().record(RECORD)
    line = json.loads(log_stream.getvalue())
    assert line.pop("timestamp")
    assert line == {
        "event": "search",
        "level": "info",
        "index": "books",
        "policy": "books*",
        "outcome": "reranked",
        "window": 100,
        "scored": 98,
        "hits": 10,
        "status": 200,
        "bytes_added": 900,
        "total_ms": 50.0,
        "upstream_ms": 10.0,
        "queue_ms": 2.0,
        "model_ms": 30.0,
        "own_ms": 8.0,
    }


def test_faults_are_named(log_stream: io.StringIO) -> None:
    """In the same line."""
    SearchLines().record(msgspec.structs.replace(RECORD, error="RuntimeError: the model has died"))
    assert json.loads(log_stream.getvalue())["error"] == "RuntimeError: the model has died"


def test_levels() -> None:
    """Below the configured level nothing is written."""
    stream = io.StringIO()
    configure("error", stream)
    SearchLines().record(RECORD)
    assert stream.getvalue() == ""
    logging.getLogger("x").debug("quiet")


def test_what_libraries_log() -> None:
    """One JSON line, a traceback in it."""
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "x.py", 1, 'odd "%s"', ("猫",), None)
    assert json.loads(LibraryLines().format(record)) == {"event": 'odd "猫"', "logger": "uvicorn.error", "level": "error"}
    try:
        raise ValueError("broken")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: broken" in json.loads(LibraryLines().format(record))["exception"]
