"""The conformance checklist as a table, item by engine, and the clients as one, client by engine.

What stands here as passed has a test that runs on that engine (``test_matrix.py`` looks), so a green run means the table
is true. ``python -m tests.real.matrix`` writes ``docs/conformance.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.real.client_kits import CLIENTS
from tests.real.engines import KINDS

PAGE = Path(__file__).parents[2] / "docs/conformance.md"
NAMES = {
    "elasticsearch-9": "Elasticsearch 9.5.3",
    "elasticsearch-8": "Elasticsearch 8.19.21",
    "elasticsearch-7": "Elasticsearch 7.10.2",
    "opensearch-3": "OpenSearch 3.8.0",
}
_ALL = tuple(KINDS)
_MODERN = ("elasticsearch-9", "elasticsearch-8")
_NO_XPACK = "a stub of the specification's shapes: the engines here are built without it"


class Item(NamedTuple):
    """One line of the checklist: what, the beginning of its tests' names, on which engines, what the others lack."""

    number: str
    what: str
    tests: str
    engines: tuple[str, ...]
    lacking: str = ""


ITEMS = (
    Item("1", "identity of what passes through: targets, header lines, bodies; JSON, NDJSON, CBOR, SMILE, YAML, gzip", "test_1_", _ALL),
    Item("2", "pages are a permutation, for windows, sizes and starts on both sides of the border", "test_2_", _ALL),
    Item("3", "untouched bytes, odd sources, `filter_path`", "test_3_", _ALL),
    Item("4", "fallbacks: the model, refused windows, failed shards, bad sizes", "test_4_", _ALL),
    Item("5", "never reranked", "test_5_", _ALL),
    Item("6", "totals in every form", "test_6_", _ALL),
    Item("7", "`_msearch`: mixed, refused, one small window among many", "test_7_msearch", _ALL),
    Item("7", "search templates", "test_7_templates", ("elasticsearch-7", "opensearch-3"), "no Mustache module in the builds of 8 and 9 here; there they pass through, which is tested"),
    Item("7", "typed paths", "test_7_typed", ("elasticsearch-7",), "they exist on 7 only"),
    Item("8", "clients", "test_the_client_cannot_tell", _ALL),
    Item("9", "kNN sections and retrievers", "test_9_", _MODERN, "no kNN section before 8, none in OpenSearch"),
    Item("10", "scores", "test_10_", _ALL),
    Item("11", "disconnects: the upstream connection closes, waiting pairs are dropped", "test_11_", _ALL),
    Item("12", "login, certificates, 401 and 403, credentials on every second call", "test_12_", ("elasticsearch-9",), "no security in the builds here; nginx guards one engine"),
    Item("–", "`text_similarity_reranker`, executed by the proxy", "test_the_retriever", _ALL),
    Item("–", "`ext.rerank.query_context`, `search_pipeline`", "test_a_query_context", _ALL),
    Item("–", "`collapse`, `rescore`, `explain`, `profile`", "test_explain", _ALL),
    Item("–", "`pinned`", "test_pinned_on_a_stub", (), _NO_XPACK),
    Item("–", "`_async_search`", "test_asynchronous_searches_on_a_stub", (), _NO_XPACK),
)  # fmt: skip


def page() -> str:
    """The whole document."""
    heads = [NAMES[kind] for kind in _ALL]
    lines = [
        "# Conformance",
        "",
        "Written by `python -m tests.real.matrix`; tests hold it to what runs. ✔: tests of this item run on this engine, and",
        "CI is green only where they pass. Item numbers are those of the checklist that the proxy was built to.",
        "",
        f"| item | what | {' | '.join(heads)} | what the others lack |",
        "| --- | --- |" + " --- |" * (len(heads) + 1),
    ]
    for item in ITEMS:
        marks = ["✔" if kind in item.engines else "–" for kind in _ALL]
        lines.append(f"| {item.number} | {item.what} | {' | '.join(marks)} | {item.lacking} |")
    lines += [
        "",
        "## Clients",
        "",
        "Each runs the same steps against the engine and through the proxy: product check, writes, searches by body, URL and",
        "helpers, typed decoding, `typed_keys`, paging, gzip, scrolling, errors. What it made of them agrees, order and scores of",
        "reranked searches aside. Clients with ✔ under sniffing stay on a proxy that advertises its address. `curl` sends",
        "`Expect: 100-continue`, chunked bodies, HTTP/1.0 and HEAD on every engine.",
        "",
        f"| client | {' | '.join(heads)} | sniffing |",
        "| --- |" + " --- |" * (len(heads) + 1),
    ]
    for client in CLIENTS:
        marks = ["✔" if kind in client.engines else "–" for kind in _ALL]
        lines.append(f"| {client.name} | {' | '.join(marks)} | {'✔' if client.sniffs else '–'} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
