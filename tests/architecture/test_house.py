"""The house rules that a machine can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "es_rerank").rglob("*.py"))
UNMATCHED = {
    "__main__.py",
    "app/state.py",
    "app/background.py",
    "cli/options.py",
}
"""Sources without a test file of their own; this list may only shrink."""

BANNED = {"utils", "helpers", "common", "misc", "manager", "handler"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT / "es_rerank"))


def test_every_source_has_its_test() -> None:
    """The same path under ``tests``; packages of a docstring need none."""
    missing = set()
    for path in SOURCES:
        name = relative(path)
        if path.name == "__init__.py":
            bare = all(isinstance(node, ast.Expr | ast.Assign) for node in ast.parse(path.read_text()).body)
            expected = ROOT / "tests" / Path(name).parent / f"test_{path.parent.name}.py"
            if bare or expected.exists():
                continue
        elif (ROOT / "tests" / Path(name).parent / f"test_{path.name}").exists():
            continue
        missing.add(name)
    assert missing == UNMATCHED


def test_files_stay_small_and_open_with_their_job() -> None:
    """Hardly one above 300 lines, each with a docstring."""
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= 320, relative(path)
        assert ast.get_docstring(ast.parse(path.read_text())), relative(path)
        assert path.stem not in BANNED, relative(path)


def test_functions_stay_small() -> None:
    """Under 60 lines, docstrings and signatures counted in."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{relative(path)}:{node.name}"


@pytest.mark.parametrize("word", ["/work/", "/tmp/", "pypi" + ".org", "http://127.0.0.1:1920"])
def test_the_package_speaks_of_no_machine(word: str) -> None:
    """No paths of a machine, no registry's address."""
    assert [relative(path) for path in SOURCES if word in path.read_text()] == []
    assert word not in (ROOT / "constraints.txt").read_text()


def test_imports_go_one_way() -> None:
    """The contracts of ``pyproject.toml``."""
    linter = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
