"""The operator's own searches, as doctor looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.cli.searches import judged
from es_rerank.core.policy import WidenPolicy
from es_rerank.core.reasons import Reason
from es_rerank.errors import ConfigError
from tests.builders import policy

KNN = '{"knn":{"field":"v","query_vector_builder":{"text_embedding":{"model_text":"snow"}},"k":10}}'


def test_each_is_judged(tmp_path: Path) -> None:
    """Reranked, passed through and why, a kNN section that gives fewer hits than the window."""
    lines = ['{"index":"books"}', '{"query":{"match":{"t":"snow"}}}', '{"index":["books","x"]}', '{"sort":"n"}', "{}", "{}"]
    lines += ['{"index":"elsewhere"}', "{}", '{"index":"books"}', KNN]
    file = tmp_path / "searches.ndjson"
    file.write_text("\n".join(lines))
    never = policy(widen=WidenPolicy(knn="never"))
    found = judged(file, [never])
    assert [(entry.reason, entry.query, entry.hits) for entry in found] == [
        (None, "snow", None),
        (Reason.SORT, "", None),
        (Reason.NO_QUERY_TEXT, "", None),
        (Reason.NO_POLICY, "", None),
        (None, "snow", 10),
    ]
    assert judged(file, [policy()])[-1].hits is None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Named, with the way to write them."""
    with pytest.raises(ConfigError, match="cannot be read"):
        judged(tmp_path / "none", [])
    (tmp_path / "odd").write_text("{}\n{}\n{}\n")
    with pytest.raises(ConfigError, match="as for _msearch"):
        judged(tmp_path / "odd", [])
