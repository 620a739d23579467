"""The committed tables say what runs."""

from __future__ import annotations

import pytest

from tests.real.matrix import ITEMS, PAGE, Item, page

pytestmark = pytest.mark.engines


def test_the_page_is_written() -> None:
    """``python -m tests.real.matrix`` was run."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.tests)
def test_each_mark_has_its_tests(item: Item, request: pytest.FixtureRequest) -> None:
    """On every engine that is marked; told only where the whole suite was collected."""
    collected = [entry for entry in request.session.items if "tests/real" in str(entry.path)]
    mine = [entry for entry in collected if entry.name.startswith(item.tests)]
    if len({entry.path.name for entry in collected}) < 8:
        pytest.skip("left out, the check of the matrix: only a part of the suite was asked for")
    assert mine, item
    alone = {"test_7_typed", "test_12_"}
    for kind in item.engines:
        assert any(kind in entry.name for entry in mine) or item.tests in alone, (item, kind)
