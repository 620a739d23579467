"""The pure walk as data: policy, request, Elasticsearch's answer and logits in, the client's answer out.

Each folder beside this file is a case. ``ES_RERANK_REWRITE_GOLDEN=1`` writes what comes out; the difference is read
before it is committed. ``request`` is the raw HTTP request without its header lines: target, blank line, body.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from es_rerank.config.loader import load
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.search import answer, fusion, headers, passage, plan, request, response, route, widen
from tests.builders import NOW

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("_"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    """The request for Elasticsearch, the passages, and the bytes for the client."""
    folder = HERE / name
    target, _, body = (folder / "request").read_bytes().partition(b"\n\n")
    lines = ((b"content-type", b"application/json"),)
    original = UpstreamRequest("POST", target.strip(), lines, body.rstrip(b"\n") or None)
    found = route.parse("POST", original.target)
    assert found is not None
    resolved = resolve(found.expression, load(folder), NOW)
    assert isinstance(resolved, Resolved)
    call = request.parse(found, b"application/json", original.body)  # type: ignore[arg-type]
    assert not isinstance(call, Passthrough)
    decided = plan.decide(call, resolved, headers.Control())
    assert not isinstance(decided, Passthrough)
    asked = widen.widen(decided, original)
    stage = answer.read((folder / "answer.json").read_bytes())
    texts = passage.texts_of(stage, decided.window, resolved)
    logits = json.loads((folder / "logits.json").read_text())
    given = [logits[place] if text else None for place, text in enumerate(texts)]
    textless = frozenset(place for place, text in enumerate(texts) if not text)
    order = fusion.rank(decided, [hit.score for hit in stage.hits], given, textless)
    written = response.rewrite(stage, decided, order, 0)
    told = b"".join([asked.target, b"\n\n", asked.body if isinstance(asked.body, bytes) else b"", b"\n"])
    seen = {
        "upstream": told,
        "passages.json": json.dumps(texts, ensure_ascii=False, indent=1).encode(),
        "expected.json": written,
    }
    for file, data in seen.items():
        if os.environ.get("ES_RERANK_REWRITE_GOLDEN") == "1":
            (folder / file).write_bytes(data)
        assert (folder / file).read_bytes() == data
