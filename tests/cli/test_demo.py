"""``es-rerank demo``: what a newcomer sees first."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
LISTENS_TO_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job would ignore it, and so would its children
os.execv(sys.argv[1], sys.argv[1:])
"""


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


def test_at_a_terminal_it_stays_up() -> None:
    """Prints the addresses, serves there, and ends on Ctrl-C with status 0."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENS_TO_CTRL_C, Path(sys.executable).parent / "es-rerank", "demo", "--scorer", "fake"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        shown = ""
        while "compare page: " not in shown or not shown.rstrip(" ").endswith("\n"):
            shown += os.read(master, 4096).decode("utf-8", "replace")
        addresses = dict(re.findall(r"(proxy|API|compare page): (http://\S+)", shown))
        assert httpx.get(addresses["compare page"]).status_code == 200
        assert httpx.get(f"{addresses['proxy']}/es-rerank-demo/_count").json()["count"] == 24
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
