"""Which text fields an answer will hold anyway, and which have to be asked for with ``fields``.

Source filtering is only ever predicted here, never done: patterns as in ``FetchSourceContext`` of elastic/elasticsearch,
where the URL's ``_source…`` replaces the body's as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from es_rerank.core.patterns import matches, overlap
from es_rerank.search.request import SearchCall

Rules = tuple[tuple[str, ...], tuple[str, ...]]
"""Patterns to include (none: all) and to exclude."""


def missing_fields(call: SearchCall, needed: Sequence[str]) -> tuple[str, ...]:
    """The needed fields that the client's own request would not bring, as far as they can be added safely."""
    rules = _rules(call)
    asked = _asked(call)
    absent = [name for name in needed if rules is None or not _included(name, rules)]
    return tuple(name for name in absent if not _in_the_way(name, asked, call.tree))


def _rules(call: SearchCall) -> Rules | None:
    """What source filtering the search asks for; None: no ``_source`` at all."""
    url = {name: call.parameter(name) for name in ("_source", "_source_includes", "_source_excludes")}
    if any(value is not None for value in url.values()):
        includes = _split(url["_source_includes"])
        if url["_source"] == "false":
            return None
        if not includes and url["_source"] not in {None, "", "true"}:
            includes = _split(url["_source"])
        return includes, _split(url["_source_excludes"])
    if "_source" not in call.tree:
        silenced = "stored_fields" in call.tree or "script_fields" in call.tree or call.parameter("stored_fields")
        return None if silenced else ((), ())
    return _body_rules(call.tree["_source"])


def _body_rules(given: object) -> Rules | None:
    if given is False:
        return None
    if isinstance(given, str):
        return (given,), ()
    if isinstance(given, list):
        return _strings(given), ()
    if isinstance(given, dict):
        includes = given.get("includes", given.get("include"))
        return _strings(includes), _strings(given.get("excludes", given.get("exclude")))
    return (), ()


def _split(value: str | None) -> tuple[str, ...]:
    return tuple(piece for piece in (value or "").split(",") if piece)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(piece for piece in (value if isinstance(value, list) else [value]) if isinstance(piece, str))


def _included(name: str, rules: Rules) -> bool:
    includes, excludes = rules
    return (not includes or _hit_by(name, includes)) and not _hit_by(name, excludes)


def _hit_by(name: str, patterns: Iterable[str]) -> bool:
    """A pattern takes a field by its path, or by that of an object around it."""
    around = [name, *(name[:place] for place, letter in enumerate(name) if letter == ".")]
    return any(matches(pattern, path) for pattern in patterns for path in around)


def _asked(call: SearchCall) -> list[str]:
    """Names and patterns of what the client wants in ``fields`` itself."""
    given = call.tree.get("fields")
    entries = given if isinstance(given, list) else []
    named = [entry.get("field") if isinstance(entry, dict) else entry for entry in entries]
    return [name for name in named if isinstance(name, str)]


def _in_the_way(name: str, asked: Sequence[str], tree: dict[str, Any]) -> bool:
    """Whether adding a field would change what the client itself gets in ``fields``.

    It asked for the field already · it wants ``fields`` and ours may be nested, so that both would share a group ·
    a doc-value or script field of the same name would be replaced.
    """
    if any(overlap(pattern, name) for pattern in asked) or (asked and "." in name):
        return True
    taken = tree.get("docvalue_fields")
    values = [entry.get("field") if isinstance(entry, dict) else entry for entry in taken] if isinstance(taken, list) else []
    scripts = tree.get("script_fields")
    return any(isinstance(value, str) and overlap(value, name) for value in values) or (
        isinstance(scripts, dict) and name in scripts
    )
