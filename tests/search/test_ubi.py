"""What a search says of itself in ``ext.ubi``, and the body without it."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search import ubi
from tests.builders import call
from tests.core.test_experiment import experiment


@pytest.mark.parametrize(
    ("ext", "query_id", "left"),
    [
        ({"ubi": {"query_id": "q1", "user_query": "snow"}}, "q1", b'{"size":1}'),
        ({"ubi": {}, "other": {"a": 1}}, None, b'{"size":1,"ext":{"other":{"a":1}}}'),
        ({"ubi": {"query_id": "x" * 101}}, None, b'{"size":1}'),
        ({"ubi": {"query_id": "line\nbreak"}}, None, b'{"size":1}'),
        ({"ubi": {"query_id": 7}}, None, b'{"size":1}'),
        ({"ubi": "text"}, None, None),
        ({"other": {}}, None, None),
        ([], None, None),
    ],
)
def test_read(ext: Any, query_id: str | None, left: bytes | None) -> None:
    """The id where it can be a header's value; the rest goes with it, and everything else stays."""
    assert ubi.read(call({"size": 1, "ext": ext})) == ubi.Told(query_id, left)


def test_taken_under_an_experiment_only() -> None:
    """Then the search is read anew without it; without an experiment, or unreadable, it stays as it came."""
    told, odd = call({"size": 1, "ext": {"ubi": {"query_id": "q1"}}}), Passthrough(Reason.NOT_JSON)
    left, said = ubi.taken(told, experiment())
    assert not isinstance(left, Passthrough)
    assert (left.tree, left.route, said.query_id) == ({"size": 1}, told.route, "q1")
    assert ubi.taken(told, None) == (told, ubi.Told())
    assert ubi.taken(odd, experiment()) == (odd, ubi.Told())
    plain = call({"size": 1})
    assert ubi.taken(plain, experiment()) == (plain, ubi.Told())


def test_only_a_bodys() -> None:
    """A search in the URL is left alone."""
    target = "/books/_search?source_content_type=application/json&source=%7B%22ext%22%3A%7B%22ubi%22%3A%7B%7D%7D%7D"
    assert ubi.read(call(None, target)) == ubi.Told()
