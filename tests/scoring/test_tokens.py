"""The ids are those of the tokenizer's own pair encoding, for any text; long texts are cut without changing them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.tokens import PairTokenizer

transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

SNIPPETS = [
    "the cat", "Lactose-free milk, 3.5%!", "猫咪能不能喝牛奶", "。", "！？", "日本語のテキスト", "カタカナｶﾞ", "한국어 문장", "กำลังไป", "हिन्दी में",
    "العربية", "עִבְרִית", "naïve café", "e\u0301", "ﬁ ﷺ ①", "👩\u200d👩\u200d👧 🇩🇪", "<s>", "</s>", "<mask>", "[SEP]", "[MASK]", "▁", "##ing",
    " ", "  ", "\t", "\n", "\u3000", "\u00a0", "\u200b", "\u0085", "a" * 120, "supercalifragilistic", "\U0010ffff", "\x00", "ZWNJ\u200cx", "１２３",
]  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(SNIPPETS), max_size=12).map("".join), st.text(max_size=60))


@pytest.fixture(scope="module", params=["minilm", "xlmr"])
def both(request: pytest.FixtureRequest) -> tuple[PairTokenizer, Any]:
    """Ours, and transformers' for the same files."""
    folder: Path = request.getfixturevalue(request.param)
    return PairTokenizer.load(folder), transformers.AutoTokenizer.from_pretrained(str(folder))


@settings(max_examples=300, deadline=None)
@given(query=TEXTS, passages=st.lists(TEXTS, min_size=1, max_size=3), max_length=st.integers(24, 96))
def test_same_ids_as_the_pair_encoding(
    both: tuple[PairTokenizer, Any], query: str, passages: list[str], max_length: int
) -> None:
    """Scripts, odd blanks, specials in the text, random Unicode; the query is cut to three quarters as FlagEmbedding does."""
    ours, theirs = both
    asked = theirs(query, add_special_tokens=False)["input_ids"]
    for passage, joined in zip(passages, ours.join(query, passages, max_length), strict=True):
        if len(asked) > max_length * 3 // 4:
            assert joined.truncated
            continue
        whole = theirs([query], [passage])  # lists: a bare "" would be taken for no second text at all
        expected = theirs([query], [passage], truncation="only_second", max_length=max_length)
        assert joined.ids.tolist() == expected["input_ids"][0]
        assert joined.truncated == (len(whole["input_ids"][0]) > max_length)
        types = expected.get("token_type_ids", [[0] * len(joined.ids)])[0]
        assert [0] * joined.first + [joined.second_type] * (len(joined.ids) - joined.first) == types


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(min_size=1, max_size=9)), min_size=1, max_size=9),
    times=st.integers(1, 90),
)
def test_cutting_changes_nothing(both: tuple[PairTokenizer, Any], parts: list[str], times: int) -> None:
    """Long texts of any script, with and without blanks: the first ids are those of the whole text."""
    ours, theirs = both
    text = "".join(parts) * times
    expected = theirs(["q"], [text], truncation="only_second", max_length=24)["input_ids"][0]
    assert ours.join("q", [text], 24)[0].ids.tolist() == expected


def test_an_overlong_query(both: tuple[PairTokenizer, Any]) -> None:
    """Three quarters for the query, the rest for the passage, as FlagEmbedding shares it out."""
    ours, theirs = both
    joined = ours.join("milk " * 100, ["cat " * 100], 32)[0]
    assert len(joined.ids) == 32
    specials = theirs.num_special_tokens_to_add(pair=True)
    assert joined.ids.tolist().count(theirs("milk", add_special_tokens=False)["input_ids"][0]) == 24
    assert joined.ids.tolist().count(theirs("cat", add_special_tokens=False)["input_ids"][0]) == 8 - specials
    assert joined.truncated


def test_lone_surrogates_become_replacement_characters(both: tuple[PairTokenizer, Any]) -> None:
    """No tokenizer reads them; the search goes on."""
    ours, _ = both
    assert ours.join("a\ud800b", ["c\udc00"], 32)[0].ids.tolist() == ours.join("a?b", ["c?"], 32)[0].ids.tolist()


def test_the_cache_is_bounded_in_bytes(xlmr: Path) -> None:
    """The least recently used ids go first, and what is remembered is what was encoded."""
    ours = PairTokenizer.load(xlmr, cache_bytes=2_000)
    first = ours.join("q", ["one passage"], 64)[0].ids.tolist()
    for number in range(50):
        ours.join("q", [f"passage {number} " * 5, "one passage", "one passage"], 64)
        assert ours.held_bytes <= 2_000
    assert ours.join("q", ["one passage"], 64)[0].ids.tolist() == first
    assert ours.join("q", [], 64) == []


def test_no_tokenizer_is_explained(tmp_path: Path) -> None:
    """A folder without one."""
    with pytest.raises(ModelLoadError, match=r"needs a tokenizer\.json"):
        PairTokenizer.load(tmp_path)
