"""Documents that the conformance tests index: enough of them to page over, with odd bytes among them."""

from __future__ import annotations

import json

from tests.real.engines import Engine
from tests.wire import ask

SUBJECTS = ["snow", "milk", "cats", "mountains", "queries", "rivers", "paper"]
ODDITIES = b'{"a":1.0,"b":1E5,"c":1234567890123456789012345,"d":"\\u0000\\u00e9","e":[ 1 , 2 ]}'
ODD = b'{"title":"odd snow","text":"snow","odd":' + ODDITIES + b"}"


def documents(count: int = 80) -> list[bytes]:
    """Sources as bytes; every one matches ``snow``, with different frequencies and so different scores."""
    found = []
    for place in range(count):
        subject = SUBJECTS[place % len(SUBJECTS)]
        source = {
            "title": f"{subject} and snow {place}",
            "text": " ".join(["snow"] * (place % 5 + 1) + [subject] * (place % 3) + ["filler"] * (place % 11)),
            "kind": subject,
            "n": place,
        }
        found.append(json.dumps(source).encode())
    found[7] = ODD
    found[11] = b'{"kind":"textless","n":11,"other":"snow"}'
    return found


def fill(engine: Engine, index: str = "books", shards: int = 1) -> None:
    """Make the index anew."""
    ask(engine.url, "DELETE", f"/{index}")
    text = {"type": "text", "fielddata": True} if engine.kind != "embedded" else {"type": "text"}
    properties: dict[str, object] = {
        "title": text,
        "text": text,
        "kind": {"type": "keyword"},
        "n": {"type": "integer"},
        "other": text,
    }
    properties["odd"] = {"type": "object", "enabled": False}
    settings = {"number_of_shards": shards, "number_of_replicas": 0}
    made = ask(engine.url, "PUT", f"/{index}", {"settings": settings, "mappings": {"properties": properties}})
    assert made.status == 200, made
    lines = b"".join(b'{"index":{"_id":"%d"}}\n' % place + source + b"\n" for place, source in enumerate(documents()))
    filled = ask(engine.url, "POST", f"/{index}/_bulk?refresh=true", lines, {"Content-Type": "application/x-ndjson"})
    assert filled.status == 200, filled
    assert not filled.json()["errors"], [item for item in filled.json()["items"] if "error" in item["index"]]
