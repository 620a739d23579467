"""What commands of evaluation have in common; the asking itself in test_evaluate.py and test_sweep.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from es_rerank.cli.asking import template_of
from es_rerank.errors import ConfigError


def test_templates(tmp_path: Path) -> None:
    """Given, in a file, or made from the fields that all policies read."""
    given = '{"query": {"match": {"title": "{{query}}"}}}'
    (tmp_path / "q.json").write_text(given)
    assert template_of(given, []) == template_of(f"@{tmp_path / 'q.json'}", []) == json.loads(given)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.yaml").write_text(f"indices: [{name}]\npassage: {{fields: [title, {name}]}}\n")
    made = template_of(None, [tmp_path / "a", tmp_path / "b"])
    assert made == {"query": {"multi_match": {"query": "{{query}}", "fields": ["title", "a", "b"]}}}


@pytest.mark.parametrize("given", ["{", "[]", '"{{query}}"', '{"query": {}}', "@/nowhere"])
def test_odd_templates(given: str) -> None:
    """Told, with a remedy."""
    with pytest.raises(ConfigError, match="--query"):
        template_of(given, [])
