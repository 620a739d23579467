"""What a rerank costs outside Elasticsearch and the model: python bench/walk.py.

100 hits of 2 KB, page of 10: reading the answer, passages, ranking, rewriting; medians of 300 rounds, and each part's
share of the whole. Prints a Markdown table.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from es_rerank.core.policy import IndexPolicy, PassagePolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.search import answer, fusion, passage, plan, request, response, route, widen
from es_rerank.search.headers import Control
from tests.builders import answer as written
from tests.builders import hit

ROUNDS = 300
BODY = b'{"query":{"bool":{"must":[{"match":{"title":"snow in the mountains"}}],"filter":[{"term":{"k":"v"}}]}},"size":10}'


def main() -> None:
    """Measure and print."""
    policy = IndexPolicy(indices=("books",), passage=PassagePolicy(fields=("title", "text")))
    hits = [
        hit(str(place), 30.0 - place / 10, _source={"title": f"title {place}", "text": "words of text " * 140, "n": place})
        for place in range(100)
    ]
    data = written(hits)
    logits: list[float | None] = [float(place * 37 % 100) / 10 - 5 for place in range(100)]
    parts: dict[str, list[float]] = {name: [] for name in ("request and plan", "answer", "passages", "fusion", "rewriting")}
    lines = ((b"content-type", b"application/json"),)
    for _ in range(ROUNDS):
        marks = [time.perf_counter()]
        found = route.parse("POST", b"/books/_search")
        assert found is not None
        resolved = resolve(found.expression, [policy], datetime.now(UTC))
        assert isinstance(resolved, Resolved)
        call = request.parse(found, b"application/json", BODY)
        assert isinstance(call, request.SearchCall)
        decided = plan.decide(call, resolved, Control())
        assert isinstance(decided, plan.RerankPlan)
        widen.widen(decided, UpstreamRequest("POST", b"/books/_search", lines, BODY))
        marks.append(time.perf_counter())
        stage = answer.read(data)
        marks.append(time.perf_counter())
        passage.texts_of(stage, decided.window, resolved)
        marks.append(time.perf_counter())
        order = fusion.rank(decided, [entry.score for entry in stage.hits], logits)
        marks.append(time.perf_counter())
        response.rewrite(stage, decided, order, 1)
        marks.append(time.perf_counter())
        for name, begun, ended in zip(parts, marks, marks[1:], strict=False):
            parts[name].append((ended - begun) * 1000)
    middles = {name: statistics.median(times) for name, times in parts.items()}
    whole = sum(middles.values())
    plain = statistics.median(_timed(data) for _ in range(ROUNDS))
    print(f"{len(data) / 1024:.0f} KiB answer; `json.loads` of it alone: {plain:.2f} ms\n")
    print("| part | ms | share |\n| --- | --- | --- |")
    for name, middle in middles.items():
        print(f"| {name} | {middle:.2f} | {middle / whole:.0%} |")
    print(f"| all | {whole:.2f} | {whole / plain:.2f} × `json.loads` |")


def _timed(data: bytes) -> float:
    begun = time.perf_counter()
    json.loads(data)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
