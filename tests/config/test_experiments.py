"""The ``experiment`` section of a file: what it becomes, and what is said where it makes no comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.config.loader import load
from es_rerank.core.experiment import UnitSource
from tests.config.test_loader import fault, folder

HEAD = "indices: [a]\npassage: {fields: [t], max_length: 256}\nrank_window_size: 40\n"
GOOD = """experiment:
  id: books-1
  unit: [{header: X-User}, {cookie: session}]
  variants:
    control: {weight: 50}
    rerank:
      weight: 30
    narrow:
      weight: 20
      rank_window_size: 10
      passage: {fields: [u]}
  exposures: {index: ubi_queries}
"""


def test_variants_lie_over_the_file(tmp_path: Path) -> None:
    """Section by section, as the file lies over the defaults; control has no policy, and a variant no experiment."""
    (found,) = load(folder(tmp_path, _defaults="timeout_ms: 77\n", a=HEAD + GOOD))
    assert found.experiment is not None
    assert found.experiment.units == (UnitSource(header="X-User"), UnitSource(cookie="session"))
    assert found.experiment.weights == {"control": 50, "narrow": 20, "rerank": 30}
    assert sorted(found.variants) == ["narrow", "rerank"]
    narrow, rerank = found.variants["narrow"], found.variants["rerank"]
    assert (narrow.rank_window_size, narrow.passage.fields, narrow.passage.max_length) == (10, ("u",), 256)
    assert (rerank.rank_window_size, rerank.passage, rerank.timeout_ms) == (40, found.passage, 77)
    assert narrow.experiment is None


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("    control: {weight: 50}\n", "", 7, "experiment.variants", "nothing to compare"),
        ("rerank:\n      weight: 30", "rerank:", 9, "experiment.variants.rerank", "a mapping"),
        ("rerank:\n", "Rerank:\n", 9, "experiment.variants.Rerank", "no name"),
        ("weight: 30", "wait: 30", 9, "experiment.variants.rerank.weight", "missing"),
        ("weight: 30", "weight: -1", 10, "experiment.variants.rerank.weight", ">= 0"),
        ("{weight: 50}", "{weight: 50, min_score: 1}", 8, "experiment.variants.control.min_score", "raw Elasticsearch"),
        ("rank_window_size: 10", "indices: [b]", 13, "experiment.variants.narrow.indices", "which searches take part"),
        ("rank_window_size: 10", "rank_windou_size: 10", 13, "experiment.variants.narrow.rank_windou_size", "did you mean"),
        ("rank_window_size: 10", "rank_window_size: many", 13, "experiment.variants.narrow.rank_window_size", "int"),
        (
            "passage: {fields: [u]}",
            "passage: {fieldz: [u]}",
            14,
            "experiment.variants.narrow.passage.fieldz",
            "did you mean",
        ),
        ("rank_window_size: 10", "rank_window_size: 300", 11, "rank_window_size", "more than window_max"),
        ("id: books-1", "id: Books", 5, "experiment.id", "matching"),
        ("id: books-1", "idd: books-1", 5, "experiment.idd", "did you mean `id`"),
        ("{index: ubi_queries}", "{}", 4, "experiment.exposures", "not recorded"),
        ("{index: ubi_queries}", "{indices: x}", 15, "experiment.exposures.indices", "did you mean `index`"),
        ("{header: X-User}", "{}", 6, "experiment.unit", "a header or a cookie"),
        (
            "{index: ubi_queries}",
            "{index: u}\n  segments: {device: {}}",
            16,
            "experiment.segments.device",
            "a header or a cookie",
        ),
        ("  unit: [{header: X-User}, {cookie: session}]\n", "", 4, "experiment.unit", "nobody can be assigned"),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, line: int, key: str, words: str) -> None:
    """By file, line and key, with a remedy."""
    assert old in GOOD
    told = fault(tmp_path, a=HEAD + GOOD.replace(old, new, 1))
    assert (told.place.rpartition(":")[2], told.key) == (str(line), key), told
    assert words in str(told)


@pytest.mark.parametrize(
    ("weights", "mode", "words"),
    [
        ((0, 0), "split", "every weight is 0"),
        ((0, 1), "interleave", "one team drafts alone"),
        ((0, 1), "split", None),
        ((1, 1), "interleave", None),
        ((1, 0), "shadow", None),
    ],
)
def test_weights(tmp_path: Path, weights: tuple[int, int], mode: str, words: str | None) -> None:
    """Somebody has to be compared with somebody."""
    text = f"experiment: {{id: e, mode: {mode}, unit: {{header: X}}, exposures: {{file: f}}, variants: "
    text += f"{{control: {{weight: {weights[0]}}}, rerank: {{weight: {weights[1]}}}}}}}\n"
    if words is None:
        assert load(folder(tmp_path, a=HEAD + text))[0].experiment is not None
    else:
        assert words in str(fault(tmp_path, a=HEAD + text))


def test_shadow_needs_no_unit(tmp_path: Path) -> None:
    """Nobody is assigned there."""
    text = GOOD.replace("  unit: [{header: X-User}, {cookie: session}]\n", "  mode: shadow\n")
    assert load(folder(tmp_path, a=HEAD + text))[0].experiment is not None


def test_an_id_is_one_experiments(tmp_path: Path) -> None:
    """Two files cannot share it; the records could not be told apart."""
    told = fault(tmp_path, a=HEAD + GOOD, b=HEAD.replace("[a]", "[b]") + GOOD)
    assert told.key == "experiment.id"
    assert "a.yaml" in str(told)


def test_variants_at_the_top(tmp_path: Path) -> None:
    """Their place is in the section."""
    assert "in the `experiment` section" in str(fault(tmp_path, a=HEAD + "variants: {}\n"))
