"""uvicorn's HTTP protocol, with one addition: the request target exactly as it came.

ASGI's ``raw_path`` and ``query_string`` come from a parser that has already taken the target apart (it drops a ``#``, a
bare ``?`` and the host of an absolute target). The target itself is kept in the scope as ``es_rerank.target``.
"""

from __future__ import annotations

from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TARGET = "es_rerank.target"


class TargetProtocol(HttpToolsProtocol):
    """Keeps the raw target."""

    def on_headers_complete(self) -> None:
        """Store the target before uvicorn takes it apart."""
        cast("dict[str, object]", self.scope)[TARGET] = self.url
        super().on_headers_complete()
