"""A query set through a proxy → one run: who was found in which order, how long it took, and what was done.

Goes on where an earlier attempt was broken off: what a folder of runs holds already is not asked again. Does not open
connections; it is given a way to ask.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from es_rerank.errors import EsRerankError
from es_rerank.evaluation import runs
from es_rerank.evaluation.collections import Query

Ask = Callable[[str, bytes, Mapping[str, str]], tuple[int, str, bytes]]
"""Target, body and header lines → status, ``X-Rerank`` and the answer's body."""

PLACEHOLDER = "{{query}}"


class AskFault(EsRerankError):
    """A search that was not answered as it should be."""


class Asked(msgspec.Struct):
    """One run: documents by query, milliseconds by query, and how often each outcome was.

    ``scores`` go with the documents; of what was taken up from an earlier attempt there are none.
    """

    name: str
    run: dict[str, list[str]] = {}
    took_ms: dict[str, float] = {}
    scores: dict[str, list[float]] = {}
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)


def body_of(query: Query, template: Any, size: int) -> bytes:  # noqa: ANN401  JSON
    """The search for a query: its own, or the template with the query's text wherever ``{{query}}`` stands."""
    whole = query.body if query.body is not None else _filled(template, query.text)
    if query.endpoint != "_search":
        return json.dumps(whole).encode()
    return json.dumps({**whole, "size": size, "_source": False, "track_total_hits": False}).encode()


def _filled(part: Any, text: str) -> Any:  # noqa: ANN401  JSON
    if isinstance(part, str):
        return part.replace(PLACEHOLDER, text)
    if isinstance(part, list):
        return [_filled(one, text) for one in part]
    return {name: _filled(one, text) for name, one in part.items()} if isinstance(part, dict) else part


def ask_all(
    asked: Asked,
    queries: Sequence[Query],
    ask: Ask,
    index: str,
    template: Any,  # noqa: ANN401  JSON
    *,
    size: int,
    lines: Mapping[str, str],
    folder: Path | None,
) -> Iterator[Query]:
    """Ask every query that was not asked yet, and give each one as it is done; raises AskFault.

    ``lines`` are header lines for each search; ``folder`` keeps the run as it grows.
    """
    kept = None if folder is None else folder / f"{asked.name}.run"
    notes = None if folder is None else folder / f"{asked.name}.jsonl"
    if kept is not None and notes is not None and notes.exists():
        _resume(asked, kept, notes)
    for query in queries:
        if query.id not in asked.run:
            begun = time.perf_counter()
            target = f"/{index}/{query.endpoint}" + ("" if query.endpoint == "_search" else f"?size={size}")
            status, told, answer = ask(target, body_of(query, template, size), lines)
            took_ms = (time.perf_counter() - begun) * 1000
            if status != 200:  # noqa: PLR2004  success
                raise AskFault(f"query {query.id!r} was answered {status}: {answer[:300].decode('utf-8', 'replace')}")
            hits = json.loads(answer)["hits"]["hits"]
            documents = [hit["_id"] for hit in hits]
            asked.scores[query.id] = [hit.get("_score") or 0.0 for hit in hits]
            if kept is not None and notes is not None:
                runs.append(kept, asked.name, query.id, documents)
                with notes.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"query": query.id, "took_ms": round(took_ms, 2), "told": told}) + "\n")
            _note(asked, query.id, documents, took_ms, told)
        yield query


def _note(asked: Asked, query: str, documents: list[str], took_ms: float, told: str) -> None:
    asked.run[query] = documents
    asked.took_ms[query] = took_ms
    outcome, _, rest = told.partition(";")
    reason = rest.partition("reason=")[2].partition(";")[0]
    asked.outcomes[f"{outcome} ({reason})" if reason else outcome] += 1


def _resume(asked: Asked, kept: Path, notes: Path) -> None:
    """Take up what was finished: a query whose note was written has its hits written, too."""
    run = runs.read(kept) if kept.exists() else {}
    for line in notes.read_text(encoding="utf-8").splitlines():
        try:
            note = json.loads(line)
        except ValueError:
            break  # the line at which the work was broken off
        _note(asked, note["query"], run.get(note["query"], []), note["took_ms"], note["told"])
