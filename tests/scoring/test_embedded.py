"""Which of the two embedded models reads a query."""

from __future__ import annotations

import pytest

from es_rerank.scoring.embedded import EmbeddedBackend


@pytest.mark.parametrize(
    ("query", "english"), [("cats?", True), ("42", True), ("猫", False), ("größe", False), ("cats 猫", False)]
)
def test_by_script(query: str, english: bool) -> None:
    """Letters beyond ASCII go to the multilingual model."""
    backend = EmbeddedBackend()
    assert (backend._reader(query) is backend._english) is english
