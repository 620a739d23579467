"""What a Python client makes of one address, run with that client's version on its path.

    python steps.py elasticsearch|opensearchpy URL [sniff]

Prints one JSON object. The DSL is tried where it is installed, the asynchronous client where there is one.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
INDEX = "clients"
MATCH = {"match": {"title": "snow"}}
KIND, URL = sys.argv[1:3]
SNIFFS = len(sys.argv) > 3
OPENSEARCH = KIND == "opensearchpy"
if OPENSEARCH:
    import opensearchpy as package
    from opensearchpy import AsyncOpenSearch as Asynchronous
    from opensearchpy import OpenSearch as Synchronous
    from opensearchpy import helpers
    from opensearchpy.exceptions import NotFoundError, RequestError

    MAJOR = 0
else:
    import elasticsearch as package
    from elasticsearch import Elasticsearch as Synchronous
    from elasticsearch import NotFoundError, helpers

    MAJOR = int(package.__version__[0])
    if MAJOR >= 8:
        from elasticsearch import BadRequestError as RequestError
    else:
        from elasticsearch import RequestError
    Asynchronous = getattr(package, "AsyncElasticsearch", None)
NEW = MAJOR >= 8


def options(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"request_timeout" if NEW else "timeout": 60, **more}
    if SNIFFS:
        found["sniff_on_start"] = True
    return found


def plain(answer: Any) -> Any:
    found = json.loads(json.dumps(getattr(answer, "body", answer), default=lambda entry: entry.body))
    if isinstance(found, dict):
        for part in [found, *found.get("responses", [])]:
            for name in ("took", "_scroll_id", "pit_id"):
                part.pop(name, None)
    return found


def ids(answer: Any) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def steps(found: Any) -> dict[str, Any]:
    """Index, search, aggregation, scroll, PIT, bulk, msearch, errors: what the client made of each."""
    query = {"query": MATCH, "size": 50}
    seen: dict[str, Any] = {}
    seen["info"] = plain(found.info())["version"]["number"]
    seen["exists"] = [bool(found.indices.exists(index=INDEX)), bool(found.indices.exists(index="nope"))]
    seen["index"] = plain(found.index(index=INDEX, id="one", body={"title": "written snow"}, refresh=True))["_id"]
    seen["get"] = plain(found.get(index=INDEX, id="one"))["_source"]
    actions = [{"_index": INDEX, "_id": f"b{place}", "title": f"bulk {place}"} for place in range(5)]
    seen["bulk"] = list(helpers.bulk(found, actions, refresh=True))
    seen["delete"] = [plain(found.delete(index=INDEX, id=action["_id"], refresh=True))["result"] for action in actions]
    seen["count"] = plain(found.count(index=INDEX, body={"query": MATCH}))["count"]
    aggs = {"aggs": {"k": {"terms": {"field": "kind"}}}}
    typed = {"typed_keys": True} if NEW else {"params": {"typed_keys": "true"}}
    seen["aggregation"] = plain(found.search(index=INDEX, body={"size": 0, **aggs}, **typed))
    seen["sorted"] = plain(found.search(index=INDEX, body={**query, "sort": ["n"], "size": 5}))
    searched = found.search(index=INDEX, body={**query, **aggs})
    seen["search"], seen["order"] = plain(searched), ids(searched)
    seen["pages"] = ids(found.search(index=INDEX, body={**query, "from": 5, "size": 5})) == seen["order"][5:10]
    seen["search_uri"] = plain(found.search(index=INDEX, q="snow", size=50))
    squeezed = Synchronous(URL, **{"http_compress": True, "request_timeout" if NEW else "timeout": 60})
    seen["search_gzip"] = plain(squeezed.search(index=INDEX, body=query))
    seen["scan"] = sorted(hit["_id"] for hit in helpers.scan(found, index=INDEX, query={"query": MATCH}, size=15))
    answers = plain(found.msearch(body=[{"index": INDEX}, {**query, "size": 3}, {"index": "nope"}, {"size": 1}]))[
        "responses"
    ]
    seen["msearch"] = [answers[0]["hits"]["total"], answers[1]["status"]]
    seen["missing"] = fault(lambda: found.search(index="nope", body=query), NotFoundError)
    seen["refused"] = fault(lambda: found.search(index=INDEX, body={"query": {"nonsense": {}}}), RequestError)
    seen["pit"] = pit(found, query)
    seen["search_dsl"] = dsl(found)
    return seen


def fault(asked: Any, expected: type[Exception]) -> Any:
    try:
        asked()
    except expected as exc:
        return [type(exc).__name__, getattr(exc, "status_code", None) or exc.meta.status]
    return "no error"


def pit(found: Any, query: Any) -> Any:
    if OPENSEARCH:
        opened = found.create_pit(index=INDEX, params={"keep_alive": "1m"})["pit_id"]
    elif hasattr(found, "open_point_in_time"):
        try:
            opened = plain(found.open_point_in_time(index=INDEX, keep_alive="1m"))["id"]
        except Exception as exc:
            return type(exc).__name__  # 7.10.2 without x-pack has none
    else:
        return "none"
    body = {**query, "pit": {"id": opened, "keep_alive": "1m"}, "sort": [{"n": "asc"}], "size": 7}
    first = plain(found.search(body=body))["hits"]["hits"]
    second = plain(found.search(body={**body, "search_after": first[-1]["sort"]}))["hits"]["hits"]
    return [hit["_id"] for hit in first + second]


def dsl(found: Any) -> Any:
    """By the DSL of its own package, of the client, or of OpenSearch's."""
    for name in ("elasticsearch_dsl", "elasticsearch.dsl", "opensearchpy.helpers.search"):
        try:
            if importlib.util.find_spec(name) is None:
                continue
        except ModuleNotFoundError:
            continue
        search = importlib.import_module(name).Search
        answer = search(using=found, index=INDEX).query("match", title="snow").extra(size=50).execute()
        return plain(answer.to_dict())
    return "none"


async def asynchronous() -> Any:
    """The asynchronous client, where its needs are installed."""
    try:
        client = Asynchronous(URL, **options())
    except Exception as exc:
        return f"none: {type(exc).__name__}"
    try:
        return plain(await client.search(index=INDEX, body={"query": MATCH, "size": 50}))
    finally:
        await client.close()


def main() -> None:
    seen = steps(Synchronous(URL, **options()))
    seen["search_async"] = asyncio.run(asynchronous()) if Asynchronous is not None else "none"
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
