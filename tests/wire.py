"""HTTP with nothing done to it: raw targets, raw headers, raw bodies."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """Status, header lines in lower case, body as received."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<{self.status} {dict(self.headers).get('x-rerank', '')} {self.body[:300]!r}>"

    @property
    def ids(self) -> list[str]:
        return [hit["_id"] for hit in self.json()["hits"]["hits"]]


def ask(
    url: str, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 60
) -> Answer:
    """One request on a connection of its own; a body that is not bytes is sent as JSON."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    lines = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        lines.setdefault("Content-Type", "application/json")
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        if body is not None:
            lines.setdefault("Content-Length", str(len(body)))
        for name, value in lines.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read())
    finally:
        connection.close()
