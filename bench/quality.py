"""nDCG@10 of raw and reranked order, through the whole proxy: python bench/quality.py FOLDER… [--window 30].

A folder is a judged collection in BEIR's layout (``corpus.jsonl.gz`` or ``corpus.jsonl``, ``queries.jsonl``,
``qrels.tsv``). It is indexed into a real engine (title and text, one shard, the standard analyzer), each query is asked
directly and through a running proxy with the embedded scorer and a generous timeout of its own. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import nDCG

sys.path.insert(0, str(Path(__file__).parents[1]))

from es_rerank.scoring.embedded import EmbeddedBackend
from es_rerank.telemetry.logs import configure
from tests.real.engines import Engine
from tests.running import proxy
from tests.wire import ask

POLICY = """\
indices: ["bench"]
rank_window_size: {window}
passage: {{fields: [title, text]}}
timeout_ms: 60000
timeout_max_ms: 60000
total_ms: 120000
"""


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """JSON lines of a file, packed or not."""
    packed = folder / f"{name}.jsonl.gz"
    with gzip.open(packed, "rt") if packed.exists() else (folder / f"{name}.jsonl").open() as file:
        for line in file:
            yield json.loads(line)


def judgments(folder: Path) -> dict[str, dict[str, int]]:
    """Grades by query and document."""
    found: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        found.setdefault(query, {})[document] = int(grade)
    return found


def index(engine: Engine, folder: Path) -> None:
    """Make the index anew."""
    ask(engine.url, "DELETE", "/bench")
    fields = {"title": {"type": "text"}, "text": {"type": "text"}}
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    ask(engine.url, "PUT", "/bench", {"settings": settings, "mappings": {"properties": fields}})
    pending: list[str] = []
    documents = list(lines(folder, "corpus"))
    for place, document in enumerate(documents, 1):
        source = {"title": document["title"], "text": document["text"]}
        pending += [json.dumps({"index": {"_id": document["_id"]}}), json.dumps(source)]
        if len(pending) >= 1000 or place == len(documents):
            body = ("\n".join(pending) + "\n").encode()
            got = ask(engine.url, "POST", "/bench/_bulk?refresh=true", body, {"Content-Type": "application/x-ndjson"})
            assert not got.json()["errors"]
            pending = []


def measured(engine: Engine, folder: Path, window: int) -> str:
    """One row of the table."""
    index(engine, folder)
    qrels = judgments(folder)
    raw: dict[str, dict[str, float]] = {}
    reranked: dict[str, dict[str, float]] = {}
    full, seconds = 0, []
    with proxy(engine.url, EmbeddedBackend(), POLICY.format(window=window)) as running:
        for query in lines(folder, "queries"):
            body = {"query": {"multi_match": {"query": query["text"], "fields": ["title", "text"], "type": "cross_fields"}}}
            direct = ask(engine.url, "POST", "/bench/_search", body)
            begun = time.perf_counter()
            proxied = ask(running.url, "POST", "/bench/_search", body, timeout=300)
            seconds.append(time.perf_counter() - begun)
            full += (proxied.header("x-rerank") or "").startswith("reranked")
            raw[query["_id"]] = {name: 1 / (rank + 1) for rank, name in enumerate(direct.ids)}
            reranked[query["_id"]] = {name: 1 / (rank + 1) for rank, name in enumerate(proxied.ids)}
            print(f"\r{folder.name}: {len(seconds)} queries", end="", file=sys.stderr)
    print(file=sys.stderr)
    before, after = (
        {entry.query_id: entry.value for entry in ir_measures.iter_calc([nDCG @ 10], qrels, run)} for run in (raw, reranked)
    )
    change = [after[query] - before[query] for query in before]
    low, high = interval(change)
    wins, losses = sum(gain > 1e-9 for gain in change), sum(gain < -1e-9 for gain in change)
    mean = [sum(values.values()) / len(values) for values in (before, after)]
    seconds.sort()
    return (
        f"| {folder.name} | {len(change)} | {mean[0]:.4f} | {mean[1]:.4f} | {mean[1] - mean[0]:+.4f} [{low:+.4f}, {high:+.4f}] "
        f"| {wins} / {len(change) - wins - losses} / {losses} | {full / len(change):.0%} | {seconds[len(seconds) // 2]:.2f} s |"
    )


def interval(change: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over queries, seeded."""
    chance = random.Random(7)
    means = sorted(sum(chance.choices(change, k=len(change))) / len(change) for _ in range(2000))
    return means[50], means[1949]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--window", type=int, default=30)
    parser.add_argument("--engine", default="elasticsearch-9")
    given = parser.parse_args()
    configure("error")
    engine = Engine(given.engine).launch().wait()
    try:
        print(
            f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {given.engine}, window {given.window}\n"
        )
        print(
            "| collection | queries | nDCG@10 raw | reranked | difference [95 %] | wins / ties / losses | in full | median |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for folder in given.folders:
            print(measured(engine, folder, given.window), flush=True)
    finally:
        engine.stop()


if __name__ == "__main__":
    main()
