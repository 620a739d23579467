"""Words without blanks."""

from __future__ import annotations

from es_rerank.core.words import unspaced, words


def test_words() -> None:
    """Case-folded words; bigrams of Chinese; mixed text."""
    assert words("Snow-White, and 7") == ["snow", "white", "and", "7"]
    assert words("猫咪喝牛奶") == ["猫咪", "咪喝", "喝牛", "牛奶"]
    assert words("BGE模型 x") == ["bge", "模型", "x"]
    assert words("猫") == ["猫"]
    assert words("") == []


def test_unspaced() -> None:
    """Chinese and kana, not Korean, not Latin."""
    assert unspaced("a猫")
    assert unspaced("かな")
    assert not unspaced("한국어 words")
