"""Every backend that is here gives one finite logit a pair, in order, whatever the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import pytest

from es_rerank.errors import ScorerError
from es_rerank.scoring.backend import OutOfMemory, TextBackend
from es_rerank.scoring.e5 import E5
from es_rerank.scoring.embedded import EmbeddedBackend
from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.minilm import MiniLm

KINDS: dict[str, Callable[[], TextBackend]] = {"fake": FakeBackend, "minilm": MiniLm, "e5": E5, "embedded": EmbeddedBackend}
PAIRS = [
    ("what do cats drink", "Cats drink water."),
    ("what do cats drink", "The weather is nice today. " * 60),
    ("what do cats drink", "a\0b"),
    ("猫咪能不能喝牛奶?", "成年猫大多乳糖不耐受。"),
    ("猫咪能不能喝牛奶?", "今天天气很好。"),
]


@lru_cache
def backend(kind: str) -> TextBackend:
    return KINDS[kind]()


@pytest.mark.parametrize("kind", KINDS)
def test_one_finite_logit_a_pair(kind: str) -> None:
    """Also for an empty list."""
    logits = backend(kind).score(PAIRS, 512)
    assert len(logits) == len(PAIRS)
    assert all(math.isfinite(logit) for logit in logits)
    assert backend(kind).score([], 512) == []


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_batch_do_not_matter(kind: str) -> None:
    """Reversed, and one by one: the same logits, within the noise of int8 activations that are scaled by batch."""
    together = backend(kind).score(PAIRS, 512)
    backwards = backend(kind).score(PAIRS[::-1], 512)[::-1]
    alone = [backend(kind).score([pair], 512)[0] for pair in PAIRS]
    assert backwards == pytest.approx(together, abs=1.0)
    assert alone == pytest.approx(together, abs=1.0)


@pytest.mark.parametrize("kind", ["minilm", "embedded"])
def test_english_relevance(kind: str) -> None:
    """The relevant passage is well above the other."""
    logits = backend(kind).score(PAIRS[:2], 512)
    assert logits[0] > logits[1] + 5


@pytest.mark.parametrize("kind", ["e5", "embedded"])
def test_chinese_relevance(kind: str) -> None:
    """The relevant passage is above the other."""
    logits = backend(kind).score(PAIRS[3:], 512)
    assert logits[0] > logits[1] + 1


def test_out_of_memory_is_a_fault_of_the_scorer() -> None:
    """So that whoever does not halve falls back."""
    assert issubclass(OutOfMemory, ScorerError)
