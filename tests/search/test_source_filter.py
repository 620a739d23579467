"""Which fields have to be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.search.source_filter import missing_fields
from tests.builders import call


@pytest.mark.parametrize(
    ("target", "body", "missing"),
    [
        ("", {}, ()),
        ("", {"_source": True}, ()),
        ("", {"_source": None}, ()),
        ("", {"_source": False}, ("title", "a.b")),
        ("", {"_source": "title"}, ("a.b",)),
        ("", {"_source": ["title", "a"]}, ()),
        ("", {"_source": ["t*", "a.*"]}, ()),
        ("", {"_source": {"includes": ["a.b"], "excludes": "x"}}, ("title",)),
        ("", {"_source": {"include": "*", "exclude": ["a"]}}, ("a.b",)),
        ("", {"stored_fields": ["x"]}, ("title", "a.b")),
        ("", {"script_fields": {"x": {}}}, ("title", "a.b")),
        ("", {"stored_fields": ["x"], "_source": True}, ()),
        ("?stored_fields=x", {}, ("title", "a.b")),
        ("?_source=false", {"_source": True}, ("title", "a.b")),
        ("?_source=true", {"_source": False}, ()),
        ("?_source=title,x", {}, ("a.b",)),
        ("?_source_includes=a.b", {}, ("title",)),
        ("?_source=x&_source_includes=title", {}, ("a.b",)),
        ("?_source_excludes=a.*", {"_source": False}, ("a.b",)),
        ("", {"_source": False, "fields": ["title"]}, ()),
        ("", {"_source": False, "fields": [{"field": "ti*"}, 3]}, ()),
        ("", {"_source": False, "fields": ["x"]}, ("title",)),
        ("", {"_source": False, "docvalue_fields": ["title", {"field": "x"}]}, ("a.b",)),
        ("", {"_source": False, "script_fields": {"title": {}}}, ("a.b",)),
    ],
)
def test_missing_fields(target: str, body: dict[str, Any], missing: tuple[str, ...]) -> None:
    """Source filtering of body and URL, and what an added field must not disturb."""
    assert missing_fields(call(body, f"/books/_search{target}"), ("title", "a.b")) == missing
