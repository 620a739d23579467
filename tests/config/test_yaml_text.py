"""YAML with the line of every key."""

from __future__ import annotations

import pytest

from es_rerank.config.yaml_text import read, write
from es_rerank.errors import ConfigError


def test_values_and_lines() -> None:
    """Scalars by YAML's own rules; lists and mappings, nested."""
    values, lines = read("a: 1\nb:\n  - x\n  - c: 2.5\n    d: null\ne: 'on'\nf: on\n", "p.yaml")
    assert values == {"a": 1, "b": ["x", {"c": 2.5, "d": None}], "e": "on", "f": True}
    assert (lines["a",], lines["b", 0], lines["b", 1, "d"], lines["f",]) == (1, 3, 5, 7)
    assert read("", "p.yaml")[0] == {}


def test_written_values_read_the_same() -> None:
    """Keys keep their order; text of any script stays readable."""
    values = {"indices": ["书"], "passage": {"fields": ["title"], "max_length": 16}, "min_score": 0.5, "a": None}
    text = write(values)
    assert read(text, "x")[0] == values
    assert text.startswith("indices:\n- 书\n")


def grown() -> str:
    """Ten aliases of ten aliases, eight times: a hundred million values in a few lines."""
    rows = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    rows += [f"a{step}: &a{step} [{','.join([f'*a{step - 1}'] * 10)}]" for step in range(1, 9)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a: &x [1, *x]\n", "nested too deeply", id="itself"),
        pytest.param("a: " + "[" * 3000 + "]" * 3000 + "\n", "nested too deeply", id="deep"),
        pytest.param(grown(), "more than 20000 values", id="grown"),
    ],
)
def test_aliases_that_grow_without_a_bound(text: str, words: str) -> None:
    """And depth: told, not suffered."""
    with pytest.raises(ConfigError, match=words):
        read(text, "p.yaml")
