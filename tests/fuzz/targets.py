"""What is fuzzed: each target reads bytes with code that meets strangers. It may answer anything and raise nothing but our own
faults (invariant 10); how long it takes is the runner's affair.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from es_rerank.app.api.rerank import DIALECTS
from es_rerank.config import yaml_text
from es_rerank.core.policy import IndexPolicy, PassagePolicy, SyntaxPolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.dialects.asked import Refusal
from es_rerank.errors import EsRerankError
from es_rerank.evaluation.records import join
from es_rerank.experiment import events
from es_rerank.search import (
    answer,
    async_search,
    filter_path,
    headers,
    msearch,
    request,
    route,
    syntax,
    template,
    ubi,
    widen,
)
from es_rerank.search.query_text.lucene import query_string, simple_query_string

POLICY = IndexPolicy(
    indices=("books",),
    passage=PassagePolicy(fields=("title", "text")),
    client_control=("mode", "query", "window", "timeout"),
    entry_points=("search", "msearch", "template", "async_search", "typed"),
    syntax=SyntaxPolicy(text_similarity_reranker=True, query_context=True),
)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
JSON = ((b"content-type", b"application/json"),)
Target = Callable[[bytes], object]


def target_line(data: bytes) -> None:
    """A request's target: what it names, which policies that touches."""
    found = route.parse("POST", data)
    if found is not None:
        resolve(found.expression, (POLICY,), NOW)


def search(data: bytes) -> None:
    """A target, a line end, a body: planned and widened, as the walk of one search does it."""
    line, _, body = data.partition(b"\n")
    target = b"/books/_search" + (b"?" + line if line else b"")
    found = route.parse("POST", target)
    if found is None:
        return
    covered = resolve(found.expression, (POLICY,), NOW)
    if not isinstance(covered, Resolved):
        return
    call, _ = ubi.taken(request.parse(found, b"application/json", body), None)
    translated, planned = syntax.decide(call, covered, headers.Control())
    original = UpstreamRequest("POST", target, JSON, body, repeatable=True)
    if translated is not None:
        original = translated.request(original)
    if not isinstance(planned, Passthrough):
        widen.widen(planned, original)
        widen.widened_body(planned)


def control(data: bytes) -> None:
    """Header lines, one a line."""
    lines = tuple((name, value) for name, _, value in (line.partition(b":") for line in data.split(b"\n")))
    headers.control(lines, POLICY)
    headers.onward(lines)
    headers.content_type_for_new_body(lines)


def lucene(data: bytes) -> None:
    """Both query syntaxes."""
    text = data.decode("utf-8", "replace")
    query_string(text, ("lang*",))
    simple_query_string(text)


def many(data: bytes) -> None:
    """Newline-delimited searches, and the same bytes as an answer to two of them."""
    items = msearch.parse(data)
    whole = route.SearchRoute(None, (), "msearch")
    for item in () if isinstance(items, Passthrough) else items:
        resolve(item.route(whole).expression, (POLICY,), NOW)
    with contextlib.suppress(EsRerankError):
        found = msearch.read(data, 2)
        msearch.join(found, {0: found.item(1)}, 3)
        msearch.status(found.item(0))


def filtered(data: bytes) -> None:
    """A ``filter_path``, a line end, an answer."""
    paths, _, body = data.partition(b"\n")
    wanted = filter_path.parse(paths.decode("utf-8", "replace"))
    with contextlib.suppress(ValueError):
        msgspec.json.decode(body)  # Elasticsearch's answer is JSON; that it is was seen before
        for engine in (filter_path.ELASTICSEARCH, filter_path.habits((), body)):
            wanted.applied(body, engine)


def answers(data: bytes) -> None:
    """Elasticsearch's answers: of a search, of a search that it keeps, of a template."""
    with contextlib.suppress(EsRerankError):
        stage = answer.read(data)
        for hit in stage.hits:
            stage.raw(hit, "_id")
    with contextlib.suppress(EsRerankError):
        async_search.inside(data)
    template.rendered(data, data)


def dialects(data: bytes) -> None:
    """Rerank requests of other systems."""
    for served in DIALECTS:
        for dialect in served.dialects:
            found = dialect.parse(data)
            if isinstance(found, Refusal):
                dialect.error(found)


def reports(data: bytes) -> None:
    """Clicks and conversions, and what an analysis makes of those that were taken."""
    for one in events.parse(data) or ():
        with contextlib.suppress(events.BadEvent):
            kept = events.event(one, "id", NOW, (), "unit")
            join([], [msgspec.json.decode(kept)], "e")


def policy_file(data: bytes) -> None:
    """A policy file's text."""
    with contextlib.suppress(EsRerankError):
        yaml_text.read(data.decode("utf-8", "replace"), "fuzz.yaml")


TARGETS: dict[str, Target] = {
    "target_line": target_line,
    "search": search,
    "control": control,
    "lucene": lucene,
    "many": many,
    "filtered": filtered,
    "answers": answers,
    "dialects": dialects,
    "reports": reports,
    "policy_file": policy_file,
}


def fed(name: str, data: bytes) -> None:
    """Run one target; our own faults are answers."""
    with contextlib.suppress(EsRerankError):
        TARGETS[name](data)
