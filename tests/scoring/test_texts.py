"""Models that take text, as backends."""

from __future__ import annotations

import pytest

from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.texts import Texts
from tests.fakes import ShufflingBackend


def test_pairs_of_several_lengths_come_back_in_order() -> None:
    """Each length is scored on its own; keys tell query, passage and length apart."""
    backend = Texts(ShufflingBackend())
    batch = [
        *backend.prepare("q", ["a", "b"], 512),
        *backend.prepare("q", ["a", "猫" * 900], 64),
        *backend.prepare("qa", [""], 512),
    ]
    logits = ShufflingBackend().score([("q", text) for text in ("a", "b", "a", "猫" * 900, "")], 512)
    assert backend.score(batch) == logits
    assert len({prepared.key for prepared in batch}) == 5
    assert [prepared.truncated for prepared in batch] == [False, False, False, True, False]
    assert batch[3].cost == 64


def test_what_another_backend_prepared_is_refused() -> None:
    """A mistake in wiring is named."""
    with pytest.raises(TypeError, match="another backend"):
        Texts(ShufflingBackend()).score([Prepared(1, 1, b"")])
