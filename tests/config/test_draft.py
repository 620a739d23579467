"""A changed file, before it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.config.draft import MOST_BYTES, draft, texts
from es_rerank.errors import ConfigError
from tests.config.test_loader import folder

BOOKS = "indices: [books]\npassage: {fields: [title]}\n"


def test_a_change_and_a_new_file(tmp_path: Path) -> None:
    """Loaded with the others and the defaults; nothing is written."""
    place = folder(tmp_path, _defaults="timeout_ms: 77\n", a=BOOKS)
    (changed,) = draft(place, "a.yaml", BOOKS + "rank_window_size: 7\n", {"window_max": 300})
    assert (changed.rank_window_size, changed.window_max, changed.timeout_ms) == (7, 300, 77)
    both = draft(place, "b.yml", BOOKS.replace("books", "films"), over={"window_max": 999})
    assert [(policy.indices, policy.window_max) for policy in both] == [(("books",), 999), (("films",), 999)]
    (other,) = draft(place, "_defaults.yaml", "timeout_ms: 88\n")
    assert other.timeout_ms == 88
    assert texts(place) == {"_defaults.yaml": "timeout_ms: 77\n", "a.yaml": BOOKS}


def test_faults_name_the_real_place(tmp_path: Path) -> None:
    """Not the copy that was loaded; in the changed file or between two."""
    place = folder(tmp_path, a=BOOKS)
    for name, text, where in (
        ("a.yaml", "indices: [books]\npassage: {fieldz: [title]}\n", "a.yaml:2"),
        ("b.yaml", BOOKS, "b.yaml"),
    ):
        with pytest.raises(ConfigError) as told:
            draft(place, name, text)
        assert str(place / where) in str(told.value)
        assert "draft" not in str(told.value)


@pytest.mark.parametrize("name", ["../a.yaml", "a.json", "/etc/x.yaml", ".a.yaml", "", "a" * 120 + ".yaml"])
def test_names(tmp_path: Path, name: str) -> None:
    """Nothing outside the folder can be meant."""
    with pytest.raises(ConfigError, match="no name of a policy file"):
        draft(folder(tmp_path, a=BOOKS), name, BOOKS)


def test_too_long(tmp_path: Path) -> None:
    """A policy is short."""
    with pytest.raises(ConfigError, match="longer than"):
        draft(folder(tmp_path, a=BOOKS), "a.yaml", "#" * (MOST_BYTES + 1))
