"""Answers of ``_async_search``, in the shapes of its specification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.errors import AnswerUnreadable
from es_rerank.search.async_search import inside, target_of

FINAL: dict[str, Any] = {"is_partial": False, "is_running": False, "start_time_in_millis": 1, "response": {"took": 1}}


def told(**more: Any) -> bytes:
    return json.dumps({**FINAL, **more}).encode()


def test_a_final_answer() -> None:
    """Kept nowhere: its own bytes are found."""
    data = told(completion_time_in_millis=2)
    found = inside(data)
    assert isinstance(found, tuple)
    assert json.loads(data[slice(*found)]) == {"took": 1}


@pytest.mark.parametrize(
    ("data", "identity"),
    [
        (told(id="Fm9="), "Fm9="),
        (told(id="a", is_running=True, is_partial=True), "a"),
        (told(is_running=True), ""),
        (told(is_partial=True), ""),
        (b'{"is_partial":false,"is_running":false,"error":{}}', ""),
    ],
)
def test_others(data: bytes, identity: str) -> None:
    """Kept, still running, partial or failed."""
    assert inside(data) == identity


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"took":1,"hits":{}}', b'{"is_running":false}', b"{" * 9])
def test_what_is_none(data: bytes) -> None:
    """Something else answered."""
    with pytest.raises(AnswerUnreadable):
        inside(data)


def test_where_a_kept_one_is() -> None:
    """Its id is one segment."""
    assert target_of("a/b==") == b"/_async_search/a%2Fb%3D%3D"
