"""Proposed policy files load, and say why they are as they are."""

from __future__ import annotations

from pathlib import Path

from es_rerank.advice.proposal import candidates, propose
from es_rerank.config.loader import load

FIELDS = {
    "sku": "keyword",
    "body": "text",
    "product_title": "text",
    "rare": "text",
    "empty": "text",
    "n": "long",
    "标题": "text",
}
SAMPLES = {
    "body": ["word " * 200] * 9,
    "product_title": ["a title"] * 10,
    "rare": ["x"],
    "sku": ["a"] * 10,
    "标题": ["好"] * 5,
}


def test_titles_first_then_the_longest() -> None:
    """Keywords, numbers and nearly empty fields are left out."""
    found = candidates(FIELDS, SAMPLES, 10)
    assert [field.name for field in found] == ["标题", "product_title", "body"] or [field.name for field in found] == [
        "product_title",
        "标题",
        "body",
    ]
    assert found[-1].share == 0.9


def test_the_file_loads(tmp_path: Path) -> None:
    """Odd names are quoted; markup is seen."""
    odd = {"a: b": "text", "html": "text"}
    samples = {"a: b": ["x y"] * 4, "html": ["<p>x</p>" * 100] * 4}
    proposal = propose("odd:index-*", candidates(odd, samples, 4), 30)
    (tmp_path / "p.yaml").write_text(proposal.text)
    policy = load(tmp_path)[0]
    assert policy.indices == ("odd:index-*",)
    assert set(policy.passage.fields) == {"a: b", "html"}
    assert policy.passage.strip_html
    assert (policy.rank_window_size, policy.passage.max_length) == (30, 512)
    assert any("with markup" in reason for reason in proposal.reasons)
    small = propose("i", candidates({"t": "text"}, {"t": ["a"]}, 1), 100)
    assert "max_length: 256" in small.text
    assert "strip_html" not in small.text
