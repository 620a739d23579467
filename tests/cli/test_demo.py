"""``es-rerank demo``: what a newcomer sees first."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("lang", "best", "mark"), [("en_GB.UTF-8", "best match", "▲3"), ("zh_CN.UTF-8", "最佳匹配", "▲3")])
def test_the_traps(run: Run, lang: str, best: str, mark: str) -> None:
    """The lactose passage and the reranker passage end on top; three kinds of search; exit status 0 with no terminal."""
    told = run("demo", LANG=lang, LC_ALL=lang)
    assert told.returncode == 0, told.stderr
    winners = re.findall(rf"★ {best}: (.*)", told.stdout)
    assert winners == ["成年猫的乳糖不耐受", "重排序的作用", "Over-extraction"]
    assert mark in told.stdout
    assert told.stdout.count("X-Rerank: reranked;window=") == 3
    assert "kNN" in told.stdout
    first = told.stdout.split("什么是重排序模型")[0]
    assert first.index("奶牛场的猫咪") < first.index("★ 成年猫的乳糖不耐受") or "1   奶牛场的猫咪" in first


def test_wrong_choices(run: Run) -> None:
    """One line that says what there is."""
    assert "use embedded or elasticsearch" in run("demo", "--engine", "sphinx").stderr
    told = run("demo", "--engine", "elasticsearch", "--scorer", "fake", ES_RERANK_UPSTREAM="http://127.0.0.1:1")
    assert told.returncode == 2
    assert "docker compose up elasticsearch" in told.stderr


def test_the_packaged_policies_are_the_shipped_ones() -> None:
    """So that a ``pip install`` user gets the same from ``init``."""
    for name in ("_defaults.yaml", "demo.yaml"):
        packaged = (resources.files("es_rerank.cli") / "data" / name).read_text(encoding="utf-8")
        assert packaged == (ROOT / "plugin_config" / name).read_text(encoding="utf-8")
