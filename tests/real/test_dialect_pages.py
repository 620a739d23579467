"""Every request on the pages about other systems' words, run as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes import ShufflingBackend
from tests.real.conftest import REQUIRED
from tests.real.engines import Engine
from tests.real.library import fill
from tests.running import proxy

pytestmark = pytest.mark.engines

PAGES = Path(__file__).parents[2] / "docs/dialects"
BLOCKS = [
    (page.name, block)
    for page in sorted(PAGES.glob("*.md"))
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
]
KEYS = {
    "tei.md": None,
    "vllm.md": ("data", "results"),
    "cohere.md": ("results",),
    "jina.md": ("results",),
    "elasticsearch.md": ("rerank",),
}


def policies() -> dict[str, str]:
    """The YAML of the pages is the configuration, each page's under a name of its own."""
    return {
        f"{page.stem}.yaml": block.replace("books*", f"books-{page.stem}")
        for page in sorted(PAGES.glob("*.md"))
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    }


def test_every_dialect_has_a_request() -> None:
    """On a page of its own."""
    assert {name for name, _ in BLOCKS} == {*KEYS, "opensearch.md", "retriever.md"}


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{name} {place}" for place, (name, _) in enumerate(BLOCKS)])
def test_the_request_works(page: str, block: str, nine: Engine) -> None:
    """On the model's port an answer of its shape, on the proxy's a reranked search."""
    bash, curl = shutil.which("bash"), shutil.which("curl")
    if bash is None or curl is None:
        if REQUIRED:
            pytest.fail("bash and curl are required")
        pytest.skip("left out, the pages' requests: bash or curl is not on the path")
    index = f"books-{page.removesuffix('.md')}"
    fill(nine, index)
    with proxy(nine.url, ShufflingBackend(), policies()) as running:
        command = block.replace("http://127.0.0.1:9202", running.api).replace("http://127.0.0.1:9201", running.url)
        command = command.replace("curl -s", "curl -s -i").replace("/books/", f"/{index}/")
        told = subprocess.run([bash, "-c", command], capture_output=True, text=True, check=True).stdout
    head, _, body = told.replace("\r\n", "\n").partition("\n\n")
    assert " 200 " in head.splitlines()[0]
    found = json.loads(body)
    if page in KEYS:
        names = KEYS[page]
        assert found if names is None else any(found.get(name) for name in names)
    else:
        assert "x-rerank: reranked;" in head.lower()
        assert found["hits"]["hits"]


def test_the_body_for_elasticsearch_is_json() -> None:
    """Of ``PUT _inference``."""
    (block,) = re.findall(r"```\nPUT _inference/\S+\n(.*?)```", (PAGES / "elasticsearch.md").read_text(), re.DOTALL)
    body = json.loads(block)
    assert body["service"] == "custom"
    asked = body["service_settings"]["request"].replace("${query}", '"q"').replace("${input}", '["a"]')
    assert json.loads(asked) == {"query": "q", "documents": ["a"]}
