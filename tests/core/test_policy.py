"""What a policy's keys accept."""

from __future__ import annotations

import msgspec
import pytest

from es_rerank.core.policy import ByteSize, IndexPolicy, ordering
from tests.builders import policy


@pytest.mark.parametrize(("text", "size"), [("4MiB", 4 * 1024**2), (17, 17), ("1 GiB", 1024**3), ("3KiB", 3072), ("9B", 9)])
def test_sizes(text: object, size: int) -> None:
    """Integers and binary units."""
    assert ByteSize.parse(text) == size


@pytest.mark.parametrize("text", ["4MB", "", "x", True, None, -1, "1.5MiB"])
def test_no_sizes(text: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="4MiB"):
        ByteSize.parse(text)


@pytest.mark.parametrize(
    "values",
    [
        {"rank_window_size": 0},
        {"rank_window_size": 10_001},
        {"min_score": -1},
        {"fusion": {"weight": 1.5}},
        {"fusion": {"method": "best"}},
        {"client_control": ["model"]},
        {"indices": []},
        {"indices": [""]},
        {"passage": {"max_length": 8}},
        {"nonsense": 1},
    ],
)
def test_out_of_bounds(values: dict[str, object]) -> None:
    """Bounds stand in the types."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"indices": ["a"], "passage": {"fields": ["t"]}, **values}, IndexPolicy)


def test_ordering_sees_what_shapes_the_order() -> None:
    """Passages may differ between policies that one search touches, windows may not."""
    assert ordering(policy()) == ordering(policy(indices=("other",)))
    assert ordering(policy()) != ordering(policy(rank_window_size=7))
    assert ordering(policy()) != ordering(policy(timeout_ms=7))
    assert policy().name == "books*"
