"""Queries through proxies that are started for them, one after another, over one model: what evaluation asks of policies."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.progress import Progress

from es_rerank.app.background import running
from es_rerank.app.build import Application
from es_rerank.app.model import load_backends_of
from es_rerank.app.serve import listener
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings
from es_rerank.errors import ConfigError
from es_rerank.evaluation.asking import PLACEHOLDER, Asked, ask_all
from es_rerank.evaluation.collections import Query
from es_rerank.upstream.credentials import authorization

RAW = "raw"
PATIENT: dict[str, Any] = {"timeout_ms": 60_000, "timeout_max_ms": 60_000, "total_ms": 120_000}
"""Time enough for any model, so that a slow machine does not change an order."""

ALONE: dict[str, Any] = {"experiment": None, "client_control": ["mode"]}
"""Nothing that lives on traffic; raw Elasticsearch can be asked for."""


class Entry(msgspec.Struct, frozen=True):
    """One run: its name, its policies, keys that beat theirs, and header lines for each search."""

    name: str
    folder: Path
    over: dict[str, Any]
    lines: Mapping[str, str] = {}


def asked(
    settings: Settings,
    queries: Sequence[Query],
    entries: Sequence[Entry],
    index: str,
    template: object,
    *,
    size: int,
    runs: Path | None = None,
) -> list[Asked]:
    """Every query under every entry; neighbours with the same policies share a proxy. Raises what asking raises."""
    found = [Asked(entry.name) for entry in entries]
    backends = None if settings.scorer == "remote" else load_backends_of(settings)
    login = {name.decode(): value.decode() for name, value in authorization(settings)}
    before: Entry | None = None
    with Progress(transient=True) as progress, contextlib.ExitStack() as stack:
        for one, entry in zip(found, entries, strict=True):
            task = progress.add_task(one.name, total=len(queries))
            if before is None or (before.folder, before.over) != (entry.folder, entry.over):
                stack.close()
                own = settings.model_copy(update={"config": entry.folder})
                application = Application(own, (lambda: backends) if backends else None, entry.over)
                proxy = stack.enter_context(running(application, listener("127.0.0.1:0", ""), listener("127.0.0.1:0", "")))
                client = stack.enter_context(httpx.Client(base_url=proxy.url, timeout=300, headers=login))
            before = entry

            def ask(target: str, body: bytes, lines: Any, client: httpx.Client = client) -> tuple[int, str, bytes]:  # noqa: ANN401
                answer = client.post(target, content=body, headers={"content-type": "application/json", **lines})
                return answer.status_code, answer.headers.get("x-rerank", ""), answer.content

            for _ in ask_all(one, queries, ask, index, template, size=size, lines=entry.lines, folder=runs):
                progress.advance(task)
    return found


def template_of(given: str | None, folders: Sequence[Path]) -> Any:  # noqa: ANN401  JSON
    """The body that queries are put into, given or made from the fields that the policies read; raises ConfigError."""
    if given is None:
        policies = [policy for folder in folders for policy in load(folder)]
        fields = dict.fromkeys(name for policy in policies for name in policy.passage.named_fields)
        return {"query": {"multi_match": {"query": PLACEHOLDER, "fields": list(fields)}}}
    remedy = 'write a search body, \'{"query": {"match": {"title": "{{query}}"}}}\' for one, or @FILE'
    try:
        text = Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
        found = json.loads(text)
    except (OSError, ValueError) as exc:
        raise ConfigError("--query", "", str(exc), remedy) from exc
    if PLACEHOLDER not in text or not isinstance(found, dict):
        raise ConfigError("--query", "", "it has no {{query}} in it", remedy)
    return found
