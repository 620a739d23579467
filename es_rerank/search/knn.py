"""kNN and widening: what happens to ``k``.

A top-level ``knn`` (or a ``knn`` retriever) gives ``k`` hits however large the page, so a pure kNN search is widened by its
``k``. A ``knn`` *query* without ``k`` takes the page's size as its ``k``: there the original size is written down, so that
a wider page finds the same documents (seen on 8.19 and 9.5). Does not touch vectors.
"""

from __future__ import annotations

from typing import Any

import msgspec

from es_rerank.search.request import MAX_RESULT_WINDOW, SearchCall
from es_rerank.search.spans import Path

_PURE_COMPANIONS = frozenset(
    [
        "from",
        "size",
        "_source",
        "fields",
        "stored_fields",
        "docvalue_fields",
        "script_fields",
        "highlight",
        "track_total_hits",
        "timeout",
        "min_score",
        "explain",
        "version",
        "seq_no_primary_term",
        "stats",
        "ext",
        "indices_boost",
        "runtime_mappings",
        "pit",
        "sort",
        "terminate_after",
        "profile",
    ]
)
"""Keys that may stand beside a kNN section without changing which hits it gives."""

_MAX_DEPTH = 60


class Widened(msgspec.Struct, frozen=True):
    """A kNN section to be changed: where it stands, its new members, and the ``k`` that the client meant."""

    path: Path
    changes: dict[str, bytes]
    client_k: int | None


def pure(call: SearchCall, window: int) -> Widened | None:
    """The widening of a pure kNN search; None where there is none to do."""
    found = _only_section(call)
    if found is None:
        return None
    path, section = found
    k, candidates = section.get("k", call.body_size if path == ("knn",) else None), section.get("num_candidates")
    if type(k) is not int or not 0 < k < window or type(candidates) not in {int, type(None)}:
        return None
    wanted = min(window, MAX_RESULT_WINDOW)
    changes = {"k": str(wanted).encode()}
    if isinstance(candidates, int) and candidates < wanted:
        changes["num_candidates"] = str(wanted).encode()
    return Widened(path, changes, k)


def _only_section(call: SearchCall) -> tuple[Path, dict[str, Any]] | None:
    """The one kNN section that alone decides the hits."""
    others = call.tree.keys() - _PURE_COMPANIONS
    if call.parameter("q") is not None:
        return None
    section, path = call.tree.get("knn"), ("knn",)
    if isinstance(section, list) and len(section) == 1:
        section, path = section[0], ("knn", 0)  # type: ignore[assignment]
    if others == {"retriever"} and isinstance(call.tree["retriever"], dict) and list(call.tree["retriever"]) == ["knn"]:
        section, path = call.tree["retriever"]["knn"], ("retriever", "knn")  # type: ignore[assignment]
    elif others != {"knn"}:
        return None
    return (path, section) if isinstance(section, dict) and "inner_hits" not in section else None


def fewest(call: SearchCall) -> int | None:
    """How many hits the kNN section of a search gives at most, where nothing else gives any; None otherwise."""
    found = _only_section(call)
    k = found[1].get("k", call.body_size) if found else None
    return k if isinstance(k, int) else None


def pinned_down(call: SearchCall) -> list[Widened]:
    """The ``knn`` queries without ``k``, each to be given the one that it would have had."""
    size = 10 if call.size is None else call.size
    found: list[Widened] = []
    for path, section in _knn_queries(call.tree, (), 0):
        candidates = section.get("num_candidates")
        k = min(size, candidates) if isinstance(candidates, int) else size
        found.append(Widened(path, {"k": str(k).encode()}, None))
    return found


def pinned_sections(call: SearchCall) -> list[Widened]:
    """The top-level ``knn`` sections without ``k``, each to be given the body's ``size``, which it would have taken.

    Needed only where the body's own ``size`` is changed: one in the URL comes too late to count.
    """
    given = call.tree.get("knn")
    placed: list[tuple[Path, object]] = [(("knn",), given)]
    if isinstance(given, list):
        placed = [(("knn", place), section) for place, section in enumerate(given)]
    changes = {"k": str(call.body_size).encode()}
    return [Widened(path, changes, None) for path, section in placed if isinstance(section, dict) and "k" not in section]


def _knn_queries(tree: object, path: Path, depth: int) -> list[tuple[Path, dict[str, Any]]]:
    """``knn`` clauses inside queries; sections of the body or of a retriever, which have rules of their own, are not."""
    if depth > _MAX_DEPTH:
        return []
    found: list[tuple[Path, dict[str, Any]]] = []
    if isinstance(tree, dict):
        for name, value in tree.items():
            holder = next((step for step in reversed(path) if isinstance(step, str)), "retriever")
            section = holder in {"retriever", "retrievers"}
            if name == "knn" and not section and isinstance(value, dict) and "field" in value and "k" not in value:
                found.append(((*path, name), value))
            elif name not in {"aggs", "aggregations", "_source", "ext", "script_fields", "runtime_mappings"}:
                found += _knn_queries(value, (*path, name), depth + 1)
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            found += _knn_queries(value, (*path, place), depth + 1)
    return found
