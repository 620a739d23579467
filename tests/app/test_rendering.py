"""Pages in two languages: nothing is left untranslated, and nothing is translated that no page says."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from es_rerank.app import rendering
from es_rerank.app.api.compare import DECIDED
from es_rerank.app.api.live import SPANS
from es_rerank.core.reasons import MEANINGS
from es_rerank.evaluation.experiment_report import HEADS
from es_rerank.evaluation.judging import GRADES
from tests.running import proxy

PAGES = Path(rendering.__file__).parent / "pages"
TEXT = re.compile(r"""_\((?:"([^"]*)"|'([^']*)')""")
STAGES = ("total", "upstream", "queue", "model", "own")
PROBLEMS = ("this key opens nothing", "too many attempts", "a weight is a number")


def said() -> set[str]:
    """Every text that a template says, and those that code hands to one."""
    found = {one or two for page in PAGES.glob("*.html") for one, two in TEXT.findall(page.read_text())}
    named = {name for _, name in rendering.PAGES}
    return found | named | {*SPANS.values(), *MEANINGS.values(), *GRADES.values(), *HEADS, *DECIDED, *STAGES, *PROBLEMS}


def test_every_text_is_translated() -> None:
    """And every translation is said somewhere."""
    assert said() - rendering.chinese().keys() == set()
    assert rendering.chinese().keys() - said() == set()


def test_braces_agree() -> None:
    """A translation takes the values that the text takes."""
    for text, translated in rendering.chinese().items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", translated)), text
    assert rendering.translated("zh")("rose by {places}", places=3) == "上升 3 位"
    assert rendering.translated("en")("rose by {places}", places=3) == "rose by 3"


@pytest.mark.parametrize(
    ("asked", "lines", "language"),
    [
        ("", {}, "en"),
        ("", {"accept-language": "zh-TW,en;q=0.8"}, "zh-CN"),
        ("", {"accept-language": "zh", "cookie": "es_rerank_language=en"}, "en"),
        ("?lang=zh", {"cookie": "es_rerank_language=en"}, "zh-CN"),
        ("?lang=xx", {}, "en"),
    ],
)
def test_the_language(asked: str, lines: dict[str, str], language: str) -> None:
    """As chosen now, as chosen once, as the browser says; a choice is remembered."""
    with proxy("http://127.0.0.1:1") as running:
        got = httpx.get(f"{running.api}/compare{asked}", headers=lines)
        assert f'<html lang="{language}">' in got.text
        assert ("es_rerank_language=zh" in got.headers.get("set-cookie", "")) == (asked == "?lang=zh")


def test_assets() -> None:
    """Style, script and icon, with their types; nothing else of the folder."""
    with proxy("http://127.0.0.1:1") as running:
        for name, kind in rendering.STATIC.items():
            assert httpx.get(f"{running.api}/static/{name}").headers["content-type"] == kind
        for name in ("zh.json", "compare.html", "..%2Fbuild.py"):
            assert httpx.get(f"{running.api}/static/{name}").status_code == 404
