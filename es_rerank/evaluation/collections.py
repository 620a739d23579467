"""Judged collections as people have them → queries and judgments.

A folder in BEIR's layout (``queries.jsonl``, ``qrels.tsv`` or ``qrels/test.tsv``, and ``corpus.jsonl`` to load), TREC
qrels with topics, a request of Elasticsearch's ``_rank_eval``, or CSV. What cannot be read is told with file and line.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from es_rerank.errors import EsRerankError

Judgments = dict[str, dict[str, int]]
"""Relevance by query id and document id."""


class CollectionFault(EsRerankError):
    """A collection that cannot be read: file, line, what is wrong."""


class Query(msgspec.Struct, frozen=True):
    """What is asked: ``text``, to be put into a template, or a whole search ``body``.

    ``endpoint`` is the last part of its path, ``_search`` or ``_search/template``.
    """

    id: str
    text: str = ""
    body: dict[str, Any] | None = None
    endpoint: str = "_search"


class Collection(msgspec.Struct, frozen=True):
    """Queries in their order, and judgments; both name the same queries."""

    name: str
    queries: tuple[Query, ...]
    judgments: Judgments


def load(path: Path, topics: Path | None = None) -> Collection:
    """Read a collection by what it looks like; raises CollectionFault."""
    if topics is not None:
        return _joined(path.stem, _topics(topics), _trec(path))
    if path.is_dir():
        return _joined(path.name, _beir_queries(path), _beir_judgments(path))
    if not path.exists():
        raise CollectionFault(f"{path}: there is no such file or folder")
    if path.suffix == ".csv":
        return _csv(path)
    if path.suffix == ".json":
        return _rank_eval(path)
    raise CollectionFault(f"{path}: neither a folder, .csv nor .json; TREC qrels need --topics FILE, too")


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and source of each document of a folder in BEIR's layout; raises CollectionFault."""
    for place, line in _lines(folder, "corpus"):
        found = _object(line, place)
        if "_id" not in found:
            raise CollectionFault(f"{place}: a document without `_id`")
        yield str(found["_id"]), {name: value for name, value in found.items() if name != "_id"}


def _joined(name: str, queries: list[Query], judgments: Judgments) -> Collection:
    """Only what has both; raises CollectionFault where nothing has."""
    kept = tuple(query for query in queries if judgments.get(query.id))
    if not kept:
        raise CollectionFault(f"{name}: no query has a judgment; do the ids of queries and judgments agree?")
    return Collection(name, kept, {query.id: judgments[query.id] for query in kept})


def _lines(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """``FILE:LINE`` and text of each line of ``name.jsonl``, packed or not."""
    packed, plain = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"
    path = packed if packed.exists() else plain
    if not path.exists():
        raise CollectionFault(f"{folder}: there is no {plain.name} in it, packed (.gz) or not")
    with gzip.open(path, "rt", encoding="utf-8") if path is packed else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"{path}:{number}", line


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as exc:
        raise CollectionFault(f"{place}: not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise CollectionFault(f"{place}: not a JSON object")
    return found


def _beir_queries(folder: Path) -> list[Query]:
    found = []
    for place, line in _lines(folder, "queries"):
        query = _object(line, place)
        if not query.keys() >= {"_id", "text"}:
            raise CollectionFault(f"{place}: a query needs `_id` and `text`")
        found.append(Query(str(query["_id"]), str(query["text"])))
    return found


def _beir_judgments(folder: Path) -> Judgments:
    path = next((path for path in (folder / "qrels.tsv", folder / "qrels/test.tsv") if path.exists()), None)
    if path is None:
        raise CollectionFault(f"{folder}: there is neither qrels.tsv nor qrels/test.tsv in it")
    found: Judgments = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("\t")
        if number == 1 and parts[-1].strip().lower() in {"score", "relevance", "grade"}:
            continue
        if line.strip():
            _judge(found, parts, (0, 1, 2), f"{path}:{number}")
    return found


def _trec(path: Path) -> Judgments:
    """``query 0 document relevance``, with any blanks between."""
    found: Judgments = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            _judge(found, line.split(), (0, 2, 3), f"{path}:{number}")
    return found


def _judge(found: Judgments, parts: list[str], places: tuple[int, int, int], place: str) -> None:
    try:
        query, document, grade = (parts[at].strip() for at in places)
        found.setdefault(query, {})[document] = int(float(grade))
    except (IndexError, ValueError) as exc:
        raise CollectionFault(f"{place}: expected query, document and a number, got {' '.join(parts)[:80]!r}") from exc


def _topics(path: Path) -> list[Query]:
    """TREC's ``<top>`` elements (number and title), or ``id TAB text`` lines."""
    text = path.read_text(encoding="utf-8")
    tops = re.findall(r"<top>(.*?)</top>", text, re.DOTALL)
    if tops:
        found = []
        for top in tops:
            number = re.search(r"<num>\s*(?:Number:)?\s*([^\s<]+)", top)
            title = re.search(r"<title>\s*(?:Topic:)?\s*([^<]+)", top)
            if number is None or title is None:
                raise CollectionFault(f"{path}: a <top> without <num> or <title>")
            found.append(Query(number[1], " ".join(title[1].split())))
        return found
    queries = []
    for place, line in enumerate(text.splitlines(), 1):
        name, tab, words = line.partition("\t")
        if line.strip() and not tab:
            raise CollectionFault(f"{path}:{place}: expected an id, a tab and a query")
        if line.strip():
            queries.append(Query(name.strip(), words.strip()))
    return queries


def _csv(path: Path) -> Collection:
    """A header line and ``query``, ``doc_id``, ``relevance``; ``query_id`` where queries have ids."""
    queries: dict[str, Query] = {}
    judgments: Judgments = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        missing = {"query", "doc_id", "relevance"} - set(rows.fieldnames or ())
        if missing:
            raise CollectionFault(f"{path}:1: the header line lacks {', '.join(sorted(missing))}")
        for row in rows:
            name = row.get("query_id") or row["query"]
            queries.setdefault(name, Query(name, row["query"]))
            _judge(judgments, [name, row["doc_id"] or "", row["relevance"] or ""], (0, 1, 2), f"{path}:{rows.line_num}")
    return _joined(path.stem, list(queries.values()), judgments)


def _rank_eval(path: Path) -> Collection:
    """The body of ``_rank_eval``: requests with their ratings; templates are asked for as search templates."""
    whole = _object(path.read_text(encoding="utf-8"), str(path))
    templates = {one["id"]: one["template"] for one in whole.get("templates", [])}
    queries, judgments = [], {}
    for request in whole.get("requests", []):
        try:
            name = str(request["id"])
            judgments[name] = {str(one["_id"]): int(one["rating"]) for one in request["ratings"]}
            if "request" in request:
                queries.append(Query(name, body=request["request"]))
            else:
                template = templates[request["template_id"]]
                source = template.get("source", template.get("inline"))
                body = {"source": source, "params": request.get("params", {})}
                queries.append(Query(name, body=body, endpoint="_search/template"))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise CollectionFault(f"{path}: request {request.get('id', '?')!r}: {exc!r}") from exc
    return _joined(path.stem, queries, judgments)
