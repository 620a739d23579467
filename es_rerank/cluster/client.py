"""Elasticsearch as our own commands ask it: plain JSON over elastic_transport, which checks no product and no version.

Used by commands, and by what experiments write, with the operator's login. Never carries a client's request, never a
client's login.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import elastic_transport
import msgspec
from elastic_transport import Transport
from elastic_transport.client_utils import url_to_node_config

from es_rerank.core.ports import Headers
from es_rerank.errors import UpstreamError, UpstreamUnreachable
from es_rerank.search.route import segment


class Refused(UpstreamError):
    """Elasticsearch answered, but not with 2xx."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"Elasticsearch answered {status}: {reason}")


class Cluster:
    """One cluster, asked by us."""

    def __init__(
        self,
        urls: Sequence[str],
        login: Headers,
        *,
        ca: Path | None = None,
        fingerprint: str | None = None,
        insecure: bool = False,
        cert: Path | None = None,
        key: Path | None = None,
        timeout_s: float = 30,
    ) -> None:
        secure: dict[str, Any] = {"verify_certs": not insecure and fingerprint is None, "ssl_show_warn": False}
        secure |= {"ca_certs": str(ca)} if ca else {}
        secure |= {"ssl_assert_fingerprint": fingerprint} if fingerprint else {}
        secure |= {"client_cert": str(cert), "client_key": str(key or cert)} if cert else {}
        nodes = [
            url_to_node_config(url).replace(request_timeout=timeout_s, **(secure if url.startswith("https") else {}))
            for url in urls
        ]
        self._transport = Transport(nodes, max_retries=len(nodes) - 1, sniff_on_start=False)
        self._headers = {name.decode(): value.decode() for name, value in login}

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def ask(self, method: str, target: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  JSON
        """One call; gives the decoded answer. Raises Refused, UpstreamUnreachable."""
        return self._asked(method, target, body, "application/json")

    def _asked(self, method: str, target: str, body: dict[str, Any] | bytes | None, kind: str) -> Any:  # noqa: ANN401  JSON
        headers = {"accept": "application/json", **self._headers}
        if body is not None:
            headers["content-type"] = kind
        try:
            answer = self._transport.perform_request(method, target, headers=headers, body=body)
        except elastic_transport.ConnectionError as exc:
            raise UpstreamUnreachable(f"cannot reach Elasticsearch: {exc.message}") from exc
        except elastic_transport.TransportError as exc:
            raise UpstreamUnreachable(f"no usable answer from Elasticsearch: {exc.message}") from exc
        if not 200 <= answer.meta.status < 300:  # noqa: PLR2004  success
            raise Refused(answer.meta.status, _reason(answer.body))
        return answer.body

    def bulk(self, index: str, documents: Sequence[tuple[str, bytes]]) -> list[tuple[int, str]]:
        """Create documents, ``(id, JSON)`` each; gives status and reason of each. Raises Refused, UpstreamUnreachable.

        A document that is there already is left as it is (409), so a write that is repeated does not double anything.
        """
        lines = b"".join(
            b'{"create":{"_id":%s}}\n%s\n' % (msgspec.json.encode(identity), document) for identity, document in documents
        )
        answer = self._asked("POST", f"/{segment(index)}/_bulk", lines, "application/x-ndjson")
        entries = [next(iter(entry.values())) for entry in answer["items"]]
        return [(entry["status"], _reason(entry)) for entry in entries]

    def version(self) -> tuple[str, str]:
        """Distribution and version number."""
        told = self.ask("GET", "/")["version"]
        return str(told.get("distribution", "elasticsearch")), str(told["number"])

    def text_fields(self, index: str) -> dict[str, str]:
        """Every mapped field of the indices behind a name, dotted, with its type; multi-fields too."""
        found: dict[str, str] = {}
        for entry in self.ask("GET", f"/{segment(index)}/_mapping").values():
            _collect(entry["mappings"].get("properties", {}), "", found)
        return found

    def search(self, index: str, body: dict[str, Any]) -> dict[str, Any]:
        """One search."""
        answer: dict[str, Any] = self.ask("POST", f"/{segment(index)}/_search", body)
        return answer


def _reason(body: Any) -> str:  # noqa: ANN401  JSON, or text
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("reason") if isinstance(error, dict) else error or body)[:300]


def _collect(properties: dict[str, Any], above: str, found: dict[str, str]) -> None:
    for name, rule in properties.items():
        path = above + name
        found[path] = rule.get("type", "object")
        _collect(rule.get("properties", {}), f"{path}.", found)
        _collect(rule.get("fields", {}), f"{path}.", found)
