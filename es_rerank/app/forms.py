"""A form that a page sent: ``application/x-www-form-urlencoded``, read whole, with a bound."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from es_rerank.app.access import Denied

MOST_BYTES = 1_048_576


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; of equal names the last. Raises Denied (413) for one that is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Denied(413, f"send at most {MOST_BYTES} bytes")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20_000))


def own_path(target: str) -> str:
    """A path of these pages to go to next; whatever leads elsewhere becomes the first page."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if plain and target.isprintable() and "\\" not in target else "/compare"
