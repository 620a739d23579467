"""The operator's own searches, as doctor looks at them: a file in ``_msearch`` format, header line and body line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from es_rerank.advice.doctor import Search
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import resolve
from es_rerank.errors import ConfigError
from es_rerank.search import knn, plan, request, route
from es_rerank.search.headers import Control


def judged(file: Path, policies: Sequence[IndexPolicy]) -> list[Search]:
    """What would become of each search in the file; raises ConfigError for a file that cannot be read."""
    try:
        lines = [line for line in file.read_bytes().splitlines() if line.strip()]
    except OSError as exc:
        raise ConfigError(str(file), "", f"cannot be read: {exc.strerror}", "name a file of searches") from exc
    if len(lines) % 2:
        remedy = 'write two lines for each search, as for _msearch: {"index": "books"} and the body'
        raise ConfigError(f"{file}:{len(lines)}", "", "a header line without a body line", remedy)
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [_judged(f"search {number}", header, body, policies) for number, (header, body) in enumerate(pairs, 1)]


def _judged(name: str, header: bytes, body: bytes, policies: Sequence[IndexPolicy]) -> Search:
    index = (request.decode(header) or {}).get("index", "")
    expression = ",".join(index) if isinstance(index, list) else str(index)
    found = route.parse("POST", f"/{route.segment(expression)}/_search".encode())
    covered = resolve(expression, policies, datetime.now(UTC))
    if found is None or isinstance(covered, Passthrough):
        return Search(name, covered.reason if isinstance(covered, Passthrough) else None)
    call = request.parse(found, b"application/json", body)
    decided = call if isinstance(call, Passthrough) else plan.decide(call, covered, Control())
    if isinstance(decided, Passthrough):
        return Search(name, decided.reason)
    hits = knn.fewest(decided.call) if decided.client_k is None else None
    small = hits if hits is not None and hits < decided.window else None
    return Search(f"{name} ({expression})", None, decided.query, decided.window, small)
