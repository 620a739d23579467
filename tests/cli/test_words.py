"""What the demo says, in two languages."""

from __future__ import annotations

import string

import pytest

from es_rerank.cli.words import CHINESE, ENGLISH, words


def test_both_say_the_same_things() -> None:
    """The same keys, with the same places to fill in."""
    assert CHINESE.keys() == ENGLISH.keys()
    for key, text in ENGLISH.items():
        named = [{name for _, name, _, _ in string.Formatter().parse(entry) if name} for entry in (text, CHINESE[key])]
        assert named[0] == named[1]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "de_DE"}, ENGLISH),
        ({}, ENGLISH),
        ({"LC_ALL": "C", "LANG": "zh_CN"}, ENGLISH),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, CHINESE),
    ],
)
def test_by_locale(environment: dict[str, str], expected: dict[str, str]) -> None:
    """``LC_ALL`` before ``LC_MESSAGES`` before ``LANG``."""
    assert words(environment) is expected
