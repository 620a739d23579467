"""What one official client does, run with that client's version on its path.

    python client_script.py elasticsearch|opensearchpy ENGINE_URL PROXY_URL

Does the same through the proxy and beside it, and prints one JSON object: what differed, and what the proxy said.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
INDEX = "clients"
FIRST, LAST = 0, 40


def client(kind: str, url: str) -> Any:
    if kind == "opensearchpy":
        from opensearchpy import OpenSearch

        return OpenSearch(url, timeout=60)
    from elasticsearch import Elasticsearch

    return Elasticsearch(url, timeout=60) if major(kind) < 8 else Elasticsearch(url, request_timeout=60)


def major(kind: str) -> int:
    if kind == "opensearchpy":
        return 0
    import elasticsearch

    return int(elasticsearch.__version__[0])


def plain(answer: Any) -> Any:
    found = json.loads(json.dumps(getattr(answer, "body", answer), default=lambda entry: entry.body))
    if isinstance(found, dict):
        for part in [found, *found.get("responses", [])]:
            part.pop("took", None)
            part.pop("_scroll_id", None)
            part.pop("pit_id", None)
    return found


def neutral(answer: Any) -> Any:
    """A reranked answer without order and scores."""
    found = plain(answer)
    found["hits"].pop("max_score", None)
    for hit in found["hits"]["hits"]:
        hit.pop("_score", None)
    found["hits"]["hits"].sort(key=lambda hit: hit["_id"])
    return found


def steps(kind: str, found: Any) -> dict[str, Any]:
    """Index, search, aggregation, scroll, PIT, bulk, msearch, errors: what the client made of each."""
    if kind == "opensearchpy":
        from opensearchpy import helpers
        from opensearchpy.exceptions import NotFoundError, RequestError
    elif major(kind) >= 8:
        from elasticsearch import BadRequestError as RequestError
        from elasticsearch import NotFoundError, helpers
    else:
        from elasticsearch import NotFoundError, RequestError, helpers

    query = {"query": {"match": {"title": "snow"}}, "size": 50}
    seen: dict[str, Any] = {}
    seen["info"] = plain(found.info())["version"]["number"]
    seen["exists"] = [bool(found.indices.exists(index=INDEX)), bool(found.indices.exists(index="nope"))]
    seen["index"] = plain(found.index(index=INDEX, id="one", body={"title": "written snow"}, refresh=True))["_id"]
    seen["get"] = plain(found.get(index=INDEX, id="one"))["_source"]
    actions = [{"_index": INDEX, "_id": f"b{place}", "title": f"bulk {place}"} for place in range(5)]
    seen["bulk"] = list(helpers.bulk(found, actions, refresh=True))
    seen["delete"] = [plain(found.delete(index=INDEX, id=action["_id"], refresh=True))["result"] for action in actions]
    seen["count"] = plain(found.count(index=INDEX, body={"query": query["query"]}))["count"]
    seen["aggregation"] = plain(found.search(index=INDEX, body={"size": 0, "aggs": {"k": {"terms": {"field": "kind"}}}}))
    seen["sorted"] = plain(found.search(index=INDEX, body=query | {"sort": ["n"], "size": 5}))
    searched = found.search(index=INDEX, body=query | {"aggs": {"k": {"terms": {"field": "kind"}}}})
    seen["search"] = neutral(searched)
    seen["order"] = [hit["_id"] for hit in searched["hits"]["hits"]]
    seen["uri"] = neutral(found.search(index=INDEX, q="snow", size=50))
    seen["scan"] = sorted(hit["_id"] for hit in helpers.scan(found, index=INDEX, query={"query": query["query"]}, size=15))
    lines = [{"index": INDEX}, query | {"size": 3}, {"index": "nope"}, {"size": 1}]
    answers = plain(found.msearch(body=lines))["responses"]
    seen["msearch"] = [answers[0]["hits"]["total"], answers[1]["status"]]
    for name, fails, fault in (
        ("missing", lambda: found.search(index="nope", body=query), NotFoundError),
        ("refused", lambda: found.search(index=INDEX, body={"query": {"nonsense": {}}}), RequestError),
    ):
        try:
            fails()
            seen[name] = "no error"
        except fault as exc:
            seen[name] = [type(exc).__name__, getattr(exc, "status_code", None) or exc.meta.status]
    seen["pit"] = pit(kind, found, query)
    return seen


def pit(kind: str, found: Any, query: dict[str, Any]) -> Any:
    if kind == "opensearchpy":
        opened = found.create_pit(index=INDEX, params={"keep_alive": "1m"})["pit_id"]
    elif hasattr(found, "open_point_in_time"):
        try:
            opened = plain(found.open_point_in_time(index=INDEX, keep_alive="1m"))["id"]
        except Exception as exc:
            return type(exc).__name__  # 7.10.2 without x-pack has none
    else:
        return "none"
    body = query | {"pit": {"id": opened, "keep_alive": "1m"}, "sort": [{"n": "asc"}], "size": 7}
    first = plain(found.search(body=body))["hits"]["hits"]
    second = plain(found.search(body=body | {"search_after": first[-1]["sort"]}))["hits"]["hits"]
    return [hit["_id"] for hit in first + second]


def main() -> None:
    kind, engine, proxy = sys.argv[1:4]
    direct, proxied = steps(kind, client(kind, engine)), steps(kind, client(kind, proxy))
    orders = direct.pop("order"), proxied.pop("order")
    different = {name: [direct[name], proxied[name]] for name in direct if direct[name] != proxied[name]}
    print(json.dumps({"different": different, "reordered": orders[0] != orders[1], "steps": len(direct)}))


if __name__ == "__main__":
    main()
