"""Query sets that people grade: folders in BEIR's layout, so that ``evaluate`` reads what was judged as it stands.

``queries.jsonl`` holds ``_id``, ``text`` and the ``index`` to ask; ``qrels.tsv`` the grades. A grade is written at once,
under a lock of the set, by replacing the file, so that processes may share a folder and nothing is lost half-written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from es_rerank.errors import EsRerankError

GRADES = {0: "irrelevant", 1: "somewhat relevant", 2: "relevant", 3: "exactly right"}
MOST_QUERIES = 2_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HEAD = "query-id\tcorpus-id\tscore\n"


class JudgingFault(EsRerankError):
    """A set that cannot be made, read or written: what is wrong, and what to do."""


class Judged(msgspec.Struct, frozen=True):
    """One query of a set, and its grades by document id."""

    id: str
    text: str
    grades: dict[str, int]


class QuerySet(msgspec.Struct, frozen=True):
    """A set: its name, the index that its queries ask, and the queries in their order."""

    name: str
    index: str
    queries: tuple[Judged, ...]

    @property
    def done(self) -> int:
        """Queries with a grade."""
        return sum(bool(one.grades) for one in self.queries)


class QuerySets:
    """All sets of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Every set, by name."""
        if not self._folder.is_dir():
            return []
        return sorted(path.parent.name for path in self._folder.glob("*/queries.jsonl") if _NAME.fullmatch(path.parent.name))

    def load(self, name: str) -> QuerySet:
        """Read a set; raises JudgingFault."""
        folder = self._place(name)
        try:
            lines = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines() if line.strip()]
            grades = _grades(folder / "qrels.tsv")
            queries = tuple(Judged(str(one["_id"]), str(one["text"]), grades.get(str(one["_id"]), {})) for one in lines)
            return QuerySet(name, str(lines[0].get("index", "")) if lines else "", queries)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise JudgingFault(f"{folder}: this is no query set that can be read: {exc}") from exc

    def make(self, name: str, index: str, queries: Sequence[str]) -> QuerySet:
        """Make a new set; of equal queries one is kept. Raises JudgingFault."""
        kept = list(dict.fromkeys(text for text in (" ".join(query.split()) for query in queries) if text))
        if not index.strip():
            raise JudgingFault("name the index that the queries ask")
        if not 0 < len(kept) <= MOST_QUERIES:
            raise JudgingFault(f"give 1 to {MOST_QUERIES} queries, one a line")
        folder = self._place(name)
        try:
            folder.mkdir(parents=True)
        except FileExistsError as exc:
            raise JudgingFault(f"there is a set {name!r} already; choose another name") from exc
        except OSError as exc:
            raise JudgingFault(f"{folder} cannot be made: {exc.strerror}") from exc
        lines = [{"_id": f"q{number}", "text": text, "index": index.strip()} for number, text in enumerate(kept, 1)]
        _replaced(folder / "qrels.tsv", _HEAD)
        _replaced(folder / "queries.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        return self.load(name)

    def grade(self, name: str, query: str, grades: Mapping[str, int | None]) -> None:
        """Write grades of one query's documents; None takes one back. Raises JudgingFault."""
        folder = self._place(name)
        if any(mark in document for document in grades for mark in "\t\r\n"):
            raise JudgingFault("an id with a tab or a line end in it cannot be written to qrels")
        if any(grade is not None and grade not in GRADES for grade in grades.values()):
            raise JudgingFault(f"a grade is one of {', '.join(map(str, GRADES))}")
        if query not in {one.id for one in self.load(name).queries}:
            raise JudgingFault(f"there is no query {query!r} in {name!r}")
        try:
            with _locked(folder):
                known = _grades(folder / "qrels.tsv")
                merged = {**known.get(query, {}), **grades}
                known[query] = {document: grade for document, grade in merged.items() if grade is not None}
                rows = [f"{one}\t{document}\t{grade}\n" for one, of in known.items() for document, grade in of.items()]
                _replaced(folder / "qrels.tsv", _HEAD + "".join(rows))
        except OSError as exc:
            raise JudgingFault(f"{folder} cannot be written: {exc.strerror}") from exc

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise JudgingFault(f"{name!r} is no name of a set: lower-case letters, digits, `_` and `-`, 64 at most")
        return self._folder / name


def _grades(path: Path) -> dict[str, dict[str, int]]:
    """Grades by query and document; of one that was given twice, the last."""
    found: dict[str, dict[str, int]] = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            found.setdefault(query, {})[document] = int(grade)
    return found


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replaced(path: Path, text: str) -> None:
    """Write a whole file, or nothing of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
