"""The folder of policy files: what loads, and what is said where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from es_rerank.config.loader import files, load
from es_rerank.errors import ConfigError

GOOD = "indices: [a]\npassage: {fields: [t]}\n"


def folder(path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (path / f"{name}.yaml").write_text(text)
    return path


def fault(path: Path, **texts: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(folder(path, **texts))
    return caught.value


def test_defaults_lie_under_every_policy(tmp_path: Path) -> None:
    """Section by section; lists are replaced; a base lies under the defaults."""
    defaults = "rank_window_size: 7\npassage: {fields: [x], max_length: 64}\nwiden: {max_bytes: 1MiB}\n"
    found = load(folder(tmp_path, _defaults=defaults, a=GOOD), {"rank_window_size": 30, "timeout_ms": 55})
    assert (found[0].rank_window_size, found[0].timeout_ms) == (7, 55)
    assert (found[0].passage.fields, found[0].passage.max_length) == (("t",), 64)
    assert found[0].widen.max_bytes == 1024 * 1024


def test_text_named_one_way_takes_the_place_of_the_other(tmp_path: Path) -> None:
    """A template over default fields, and fields over a default template."""
    one = load(folder(tmp_path, _defaults="passage: {fields: [x]}\n", a='indices: [a]\npassage: {template: "{{t}}"}\n'))
    assert (one[0].passage.fields, one[0].passage.template) == ((), "{{t}}")
    two = load(folder(tmp_path, _defaults='passage: {template: "{{t}}"}\n', a=GOOD))
    assert (two[0].passage.fields, two[0].passage.template) == (("t",), None)


def test_hidden_files_are_no_policies(tmp_path: Path) -> None:
    """Kubernetes' ``..data`` and editors' leftovers."""
    folder(tmp_path, a=GOOD)
    (tmp_path / "..data").mkdir()
    (tmp_path / ".a.yaml").write_text("nonsense: [")
    (tmp_path / "README.md").write_text("x")
    assert [path.name for path in files(tmp_path)] == ["a.yaml"]
    assert load(tmp_path)[0].name == "a"


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("indices: [a]\npassage:\n  fieldz: [x]\n", 3, "passage.fieldz", "did you mean `fields`"),
        ("indices: [a]\npassage:\n  qqqq: 1\n", 3, "passage.qqqq", "known keys here"),
        (
            "indices: [a]\npassage:\n  fields: [t]\n  long_text: best_passage\n  max_length: 128\n",
            2,
            "passage.passage_tokens",
            "leaves no room for the query",
        ),
        (
            "indices: [a]\npassage:\n  fields: [t]\n  long_text: best_passage\n  stride: 200\n",
            5,
            "passage.stride",
            "a fifth is usual",
        ),
        ("indices: [a]\nwindow: 3\npassage: {fields: [t]}\n", 2, "window", "no such key"),
        ("indices: [a]\npassage: {fields: [t]}\nrank_window_size: many\n", 3, "rank_window_size", "Expected `int`"),
        ("indices: [a]\npassage: {fields: [t]}\nfusion:\n  weight: 2\n", 4, "fusion.weight", "<= 1"),
        ("indices: [a]\npassage: {fields: [t]}\nwiden: {max_bytes: 3 apples}\n", 3, "widen.max_bytes", "4MiB"),
        ("indices:\n  - a\n  - 7\npassage: {fields: [t]}\n", 3, "indices.1", "Expected `str`"),
        ("passage: {fields: [t]}\n", 1, "indices", "this key is missing"),
        ("indices: [a]\n", 1, "passage", "this key is missing"),
        ("indices: [a]\npassage: {}\n", 2, "passage", "no text is named"),
        ('indices: [a]\npassage: {fields: [t], template: "{{t}}"}\n', 2, "passage", "either `fields` or `template`"),
        ("indices: [a]\npassage:\n  template: text\n", 3, "passage.template", "names no field"),
        (GOOD + "rank_window_size: 300\n", 3, "rank_window_size", "more than window_max"),
        (GOOD + "timeout_ms: 9000\n", 3, "timeout_ms", "more than timeout_max_ms"),
        (GOOD + "indices: [b]\n", 3, "indices", "a second time"),
        ("a: [\n", 2, "", "not YAML"),
        ("- a\n", 1, "", "expected keys"),
        ("? [a]\n: 1\n", 1, "", "a key has to be text"),
        ("", 1, "indices", "missing"),
        ("indices: [a, a]\npassage: {fields: [t]}\n", 1, "indices", "equally long prefixes"),
    ],
)
def test_faults_name_file_line_key_and_remedy(tmp_path: Path, text: str, line: int, key: str, words: str) -> None:
    """What an operator needs to mend it."""
    found = fault(tmp_path, p=text)
    assert found.place == f"{tmp_path}/p.yaml:{line}"
    assert found.key == key or not key
    assert words in str(found)
    assert found.remedy


def test_two_files_that_claim_the_same(tmp_path: Path) -> None:
    """The same pattern, or equally long prefixes."""
    found = fault(tmp_path, a=GOOD, b=GOOD)
    assert found.place == f"{tmp_path}/b.yaml:1"
    assert f"{tmp_path}/a.yaml:1" in str(found)
    stars = fault(tmp_path, a='indices: ["x*y"]\npassage: {fields: [t]}\n', b='indices: ["x*z"]\npassage: {fields: [t]}\n')
    assert "equally long prefixes" in str(stars)
    plain = load(
        folder(tmp_path, a='indices: ["x", "x*"]\npassage: {fields: [t]}\n', b='indices: ["x-*"]\npassage: {fields: [t]}\n')
    )
    assert len(plain) == 2


def test_unreadable_folders_and_files(tmp_path: Path) -> None:
    """No folder, bytes that are no text, defaults for an index, a broken defaults file."""
    with pytest.raises(ConfigError, match="no such folder"):
        load(tmp_path / "none")
    assert "belong to no index" in str(fault(tmp_path, _defaults=GOOD, a=GOOD))
    assert "_defaults.yaml:1" in fault(tmp_path, _defaults="timeout_ms: soon\n", a=GOOD).place
    (tmp_path / "_defaults.yaml").unlink()
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in str(fault(tmp_path))
    (tmp_path / "a.yaml").write_bytes(b"a: \x01")
    assert "not YAML" in str(fault(tmp_path))


yaml_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["indices", "passage", "fields", "x"]), inner)
    ),
    max_leaves=6,
)


@given(st.one_of(st.text(max_size=80), yaml_values.map(str)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_loads_or_is_explained(tmp_path: Path, text: str) -> None:
    """Never another exception."""
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8", errors="ignore")
    try:
        load(tmp_path)
    except ConfigError as found:
        assert found.remedy
