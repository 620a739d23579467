"""Places where a text may be cut: found without blanks, and never where a token could span them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from es_rerank.scoring.cuts import Cuts


@pytest.mark.parametrize("name", ["minilm", "xlmr"])
@pytest.mark.parametrize("text", ["猫咪能不能喝牛奶？成年猫大多乳糖不耐受。" * 40, "Cats drink water, not milk. " * 40])
def test_the_left_part_keeps_its_tokens(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """Wherever a cut is offered, the ids in front of it begin the ids of the whole."""
    tokenizer = Tokenizer.from_file(str(request.getfixturevalue(name) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    cuts = Cuts(tokenizer)
    whole = tokenizer.encode(text, add_special_tokens=False).ids
    offered = {cuts.after(text, start) for start in range(1, 80)} - {None}
    assert len(offered) > 5
    for place in offered:
        part = tokenizer.encode(text[:place], add_special_tokens=False).ids
        assert whole[: len(part)] == part


@pytest.mark.parametrize(("name", "text"), [("minilm", "a" * 3000), ("xlmr", "é" * 3000), ("xlmr", "กำลัง" * 600)])
def test_no_cut_where_none_is_sure(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """One long word, or letters that a normaliser may join."""
    folder: Path = request.getfixturevalue(name)
    assert Cuts(Tokenizer.from_file(str(folder / "tokenizer.json"))).after(text, 10) is None


def test_an_unknown_pipeline_is_never_cut() -> None:
    """Byte-pair encoding merges across everything."""
    assert Cuts(Tokenizer(models.BPE())).after("a b c", 1) is None
