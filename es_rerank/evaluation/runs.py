"""Runs in TREC's format, ``query Q0 document rank score name``: for other tools, and to go on where work was broken off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from es_rerank.errors import EsRerankError
from es_rerank.evaluation.measures import scored


class RunFault(EsRerankError):
    """A run that cannot be read: file, line, what is wrong."""


def append(path: Path, name: str, query: str, documents: Sequence[str]) -> None:
    """Add one query; its scores fall strictly, since trec_eval breaks ties by document id. One without hits is a comment."""
    scores = scored(documents)
    lines = [f"{query} Q0 {document} {rank} {scores[document]:g} {name}\n" for rank, document in enumerate(documents, 1)]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines) or f"# {query} found nothing\n")


def read(path: Path) -> dict[str, list[str]]:
    """Document ids by query, in the order of their scores, and of the lines where these are equal; raises RunFault."""
    found: dict[str, list[tuple[float, str]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# ") and line.endswith(" found nothing"):
            found.setdefault(line.removeprefix("# ").removesuffix(" found nothing"), [])
        elif line.strip():
            parts = line.split()
            try:
                query, _, document, _, score = parts[:5]
                found.setdefault(query, []).append((float(score), document))
            except ValueError as exc:
                raise RunFault(f"{path}:{number}: expected `query Q0 document rank score name`") from exc
    return {query: [document for _, document in sorted(hits, key=lambda hit: -hit[0])] for query, hits in found.items()}
