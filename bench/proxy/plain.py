"""The obvious proxy, to be measured beside ours: FastAPI in front, httpx behind. ``uvicorn bench.proxy.plain:app``."""

from __future__ import annotations

import os

import httpx
from fastapi import FastAPI, Request, Response

app = FastAPI()
client = httpx.AsyncClient(base_url=os.environ.get("UPSTREAM", "http://127.0.0.1:9200"), timeout=60)


@app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "HEAD"])
async def forward(path: str, request: Request) -> Response:
    """Read, ask, answer."""
    headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
    found = await client.request(
        request.method, f"/{path}", params=request.query_params, content=await request.body(), headers=headers
    )
    kept = {name: value for name, value in found.headers.items() if name not in {"content-length", "content-encoding"}}
    return Response(found.content, found.status_code, kept)
