"""Header lines: which travel on, which the client controls us with, what the bodies are.

Names are compared without case; values stay bytes. Does not decide whether a search is reranked.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers
from es_rerank.core.reasons import Passthrough, Reason

HOP_BY_HOP = frozenset(
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ]
)
"""RFC 9110, section 7.6.1, and its predecessors."""

_NOT_ONWARD = HOP_BY_HOP | {b"host", b"expect"}

CONTROL_PREFIX = b"x-rerank"

_JSON = re.compile(rb"application/(?:vnd\.elasticsearch\+)?(?:x-nd)?json\s*(?:;.*)?", re.IGNORECASE)
_VERSIONED = re.compile(rb"application/vnd\.elasticsearch\+json\s*;\s*compatible-with\s*=\s*\d+", re.IGNORECASE)


def first(headers: Headers, name: bytes) -> bytes | None:
    """The first value of a header; None where it is missing."""
    return next((value for key, value in headers if key.lower() == name), None)


def drop(headers: Headers, names: frozenset[bytes]) -> Headers:
    """All lines but those of the given lower-case names."""
    return tuple([(key, value) for key, value in headers if key.lower() not in names])


def onward(headers: Headers) -> Headers:
    """What a request carries upstream: all but hop-by-hop lines, those that ``Connection`` names, ``Host``,
    ``Expect`` (answered by our own server) and our control headers.
    """
    lines = [(key.lower(), key, value) for key, value in headers]
    gone = _NOT_ONWARD
    for name, _, value in lines:
        if name == b"connection":
            gone |= {token.strip().lower() for token in value.split(b",")}
    return tuple([(key, value) for name, key, value in lines if name not in gone and not name.startswith(CONTROL_PREFIX)])


def homeward(headers: Headers) -> Headers:
    """What an answer carries back to the client: all but hop-by-hop lines."""
    return drop(headers, HOP_BY_HOP)


def is_json(content_type: bytes | None) -> bool:
    """Whether a content type is one of JSON's; NDJSON on ``_search`` is read as JSON. None is not."""
    return content_type is not None and _JSON.fullmatch(content_type.strip()) is not None


def content_type_for_new_body(headers: Headers) -> bytes:
    """The ``Content-Type`` of a body added to a body-less request (rule R14).

    One versioned ``Accept`` wants the same version; a plain, absent or comma-separated one wants plain JSON.
    """
    accept = (first(headers, b"accept") or b"").strip()
    return accept if _VERSIONED.fullmatch(accept) else b"application/json"


class Control(msgspec.Struct, frozen=True):
    """What the ``X-Rerank-…`` request headers ask for; None: not asked."""

    query: str | None = None
    window: int | None = None
    timeout_ms: int | None = None
    variant: str | None = None


def control(headers: Headers, policy: IndexPolicy) -> Control | Passthrough:
    """Read the control headers that the policy honours; an invalid value is a reason, never an error."""
    given = {
        key.lower().removeprefix(b"x-rerank-").decode("ascii", "replace"): value.strip()
        for key, value in headers
        if key.lower().startswith(b"x-rerank-")
    }
    asked = {name: given.get(name) for name in ("mode", "query", "window", "variant")} | {"timeout": given.get("timeout-ms")}
    honoured = {name: value for name, value in asked.items() if value is not None and name in policy.client_control}
    mode = honoured.get("mode", b"on").lower()
    window = _count(honoured.get("window"), policy.window_max)
    timeout_ms = _count(honoured.get("timeout"), policy.timeout_max_ms)
    query = _text(honoured["query"]) if "query" in honoured else None
    variant = honoured["variant"].decode("ascii", "replace") if "variant" in honoured and policy.experiment else None
    known = variant is None or variant == CONTROL or variant in policy.variants
    if mode not in {b"on", b"off"} or window == 0 or timeout_ms == 0 or query == "" or not known:
        return Passthrough(Reason.BAD_CONTROL)
    if mode == b"off":
        return Passthrough(Reason.MODE_OFF)
    return Control(query, window, timeout_ms, variant)


def _count(value: bytes | None, most: int) -> int | None:
    """A positive number, at most ``most``; 0 for anything else."""
    if value is None:
        return None
    return min(int(value), most) if re.fullmatch(rb"[0-9]{1,9}", value) else 0


def _text(value: bytes) -> str:
    """Percent-encoded UTF-8, or raw UTF-8 bytes; an empty text for what is neither."""
    try:
        return unquote_to_bytes(value).decode().strip()
    except UnicodeDecodeError:
        return ""
