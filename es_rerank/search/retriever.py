"""What a ``retriever`` tree (or the older ``rank``) allows: its window, and who decides the order.

Texts are quoted from Elasticsearch's rules in ``docs/elasticsearch.md``: compound retrievers cap ``size`` at their
``rank_window_size`` (10 where none is given) and take it as the page where the client gives no size. Does not extract text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEFAULT_RANK_WINDOW = 10
"""``RankBuilder.DEFAULT_RANK_WINDOW_SIZE`` in elastic/elasticsearch."""

SIMPLE = frozenset({"standard", "knn"})
DECIDES_ITSELF = frozenset({"pinned", "rule"})


def nodes(retriever: object, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk the tree: each retriever's name with its body, outermost first."""
    if not isinstance(retriever, dict) or depth > 50:  # noqa: PLR2004  deeper than any real tree
        return
    for name, body in retriever.items():
        if isinstance(body, dict):
            yield name, body
            yield from nodes(body.get("retriever"), depth + 1)
            for entry in _entries(body.get("retrievers")):
                yield from nodes(entry, depth + 1)


def _entries(retrievers: object) -> Iterator[object]:
    """The children of ``rrf`` and ``linear``: a container, or one under ``retriever`` beside its weight."""
    for entry in retrievers if isinstance(retrievers, list) else []:
        inner = entry.get("retriever") if isinstance(entry, dict) else None
        yield inner if isinstance(inner, dict) else entry


def window_limit(tree: dict[str, Any]) -> int | None:
    """The most hits that a compound retriever or ``rank`` gives; None where nothing limits them."""
    outermost = next(nodes(tree.get("retriever")), None)
    if outermost is not None and outermost[0] not in SIMPLE:
        name, body = outermost
        return _rescorer_window(body) if name == "rescorer" else _window(body)
    rank = tree.get("rank")
    if isinstance(rank, dict):
        return min((_window(body) for body in rank.values() if isinstance(body, dict)), default=DEFAULT_RANK_WINDOW)
    return None


def _window(body: dict[str, Any]) -> int:
    found = body.get("rank_window_size", body.get("window_size", DEFAULT_RANK_WINDOW))
    return found if type(found) is int else 0


def _rescorer_window(body: dict[str, Any]) -> int:
    """``rescorer`` calls it ``window_size``, once for each of its rescorers; the smallest counts."""
    rescore = body.get("rescore")
    stages = rescore if isinstance(rescore, list) else [rescore]
    return min((_window(stage) for stage in stages if isinstance(stage, dict)), default=DEFAULT_RANK_WINDOW)
