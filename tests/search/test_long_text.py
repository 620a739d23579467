"""Documents ⇄ passages."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from es_rerank.core.estimate import tokens_about
from es_rerank.core.policy import PassagePolicy
from es_rerank.search.long_text import Divided, Judged, divide, judge, spans

ENGLISH = "Cats drink water. Dr. Smith paid 3.50 dollars! Is milk bad for them? It is; most are intolerant. " * 6
CHINESE = "猫咪能不能喝牛奶？成年猫大多乳糖不耐受。喝了容易拉肚子！不如喂水；" * 12


def _policy(**given_keys: object) -> PassagePolicy:
    return PassagePolicy(fields=("t",), long_text="best_passage", **given_keys)  # type: ignore[arg-type]


@given(st.text(alphabet="ab .!?。！\n猫é\U0001f600", max_size=400), st.integers(1, 40), st.integers(0, 12))
@example("????ééééé", 2, 1)
def test_passages_cover_the_text(text: str, tokens: int, stride: int) -> None:
    """From its first code point to its last, in order, each within its size unless it is a single code point or sentence part."""
    found = spans(text, tokens, min(stride, tokens - 1))
    if not text:
        assert found == []
        return
    assert (found[0][0], found[-1][1]) == (0, len(text))
    for (start, end), (following, further) in itertools.pairwise(found):
        assert start < following <= end < further
    assert all(tokens_about(text[start:end]) <= tokens + 40 for start, end in found)


@pytest.mark.parametrize(("text", "end"), [(ENGLISH, (".", "!", "?", ";")), (CHINESE, ("。", "！", "？", "；"))])
def test_passages_end_with_sentences(text: str, end: tuple[str, ...]) -> None:
    """In both scripts; a number is not taken apart."""
    found = spans(text, 40, 0)
    assert len(found) > 3
    for start, stop in found:
        assert text[start:stop].strip().endswith(end)
        assert not text[start:stop].startswith("50 dollars")


def test_neighbours_share_their_border() -> None:
    """Whole sentences of up to the stride; none without one."""
    found = spans(CHINESE, 40, 10)
    shared = [before[1] - after[0] for before, after in itertools.pairwise(found)]
    assert min(shared) > 0
    assert all(0 <= tokens_about("猫" * letters) <= 10 for letters in shared)
    assert all(
        after[0] == before[1] for before, after in zip(spans(CHINESE, 40, 0), spans(CHINESE, 40, 0)[1:], strict=False)
    )


def test_a_sentence_longer_than_a_passage_is_halved() -> None:
    """Between code points, without relying on blanks."""
    text = "猫" * 1000
    found = spans(text, 100, 0)
    assert "".join(text[start:end] for start, end in found) == text
    assert max(tokens_about(text[start:end]) for start, end in found) <= 100


def test_which_passages_are_read() -> None:
    """The first ones, or those that share most with the query; one where only the first counts; all of a short text."""
    text = "The moon is far. " * 30 + "Cats drink water, not milk. " * 5 + "Rivers run. " * 30
    first = divide(text, _policy(passage_tokens=40, stride=0, max_passages=2), "what do cats drink")
    assert first.spans[0][0] == 0
    assert (len(first.spans), first.dropped) == (2, True)
    best = divide(text, _policy(passage_tokens=40, stride=0, max_passages=2, pick="overlap"), "what do cats drink")
    assert any("Cats drink" in passage for passage in best.passages)
    assert list(best.spans) == sorted(best.spans)
    assert len(divide(text, _policy(passage_tokens=40, stride=0, aggregate="first"), "q").spans) == 1
    assert divide("short", _policy(), "q") == Divided("short", ((0, 5),))
    assert divide("", _policy(), "q").passages == []
    assert divide(text, PassagePolicy(fields=("t",)), "q").spans == ((0, len(text)),)


def test_chinese_is_picked_by_bigrams() -> None:
    """No blanks are needed."""
    text = "今天天气很好。" * 40 + "猫咪喝牛奶会拉肚子。" * 3 + "今天天气很好。" * 40
    found = divide(text, _policy(passage_tokens=40, stride=0, max_passages=1, pick="overlap"), "猫咪能不能喝牛奶")
    assert "猫咪喝牛奶" in found.passages[0]


def test_judgements() -> None:
    """Max, mean or first; a document of which a part is not scored is not scored; none for an empty text."""
    long = Divided("abcdef", ((0, 2), (2, 4), (4, 6)))
    whole, empty = Divided("ab", ((0, 2),)), Divided("", ())
    logits = [1.0, 3.0, 2.0, 1.0, 3.0, 2.0, 5.0, 3.0, 2.0, 7.0, 1.0, None, 4.0]
    cut = [False] * 9 + [True] + [False] * 3
    found = judge([long, long, long, whole, empty, long], logits, cut, ["max", "mean", "first", "max", "max", "max"])
    assert found == [
        Judged(3.0, (2, 4)),
        Judged(2.0, (2, 4)),
        Judged(5.0, (0, 2)),
        Judged(7.0, None, truncated=True),
        Judged(),
        Judged(),
    ]
    assert judge([Divided("abcd", ((0, 2),), dropped=True)], [1.0], [], ["max"]) == [Judged(1.0, (0, 2), truncated=True)]
