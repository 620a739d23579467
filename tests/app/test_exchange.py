"""One exchange as ASGI gives it; on sockets it is tested in test_proxy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from es_rerank.app.exchange import ClientGone, Exchange, Message


def exchange(*messages: dict[str, Any], **scope: Any) -> tuple[Exchange, list[Message]]:
    left, sent = list(messages), list[Message]()

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    given = {"method": "POST", "path": "/a", "headers": [(b"content-length", b"6")], "query_string": b"x=1"}
    return Exchange(given | scope, receive, send), sent


PIECES = ({"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.request", "body": b"def"})


async def test_bodies() -> None:
    """Whole, or as far as the limit; then the rest is still there."""
    whole, _ = exchange(*PIECES)
    assert await whole.body(100) == (b"abcdef", True)
    cut, _ = exchange(*PIECES)
    assert await cut.body(2) == (b"abc", False)
    assert [piece async for piece in cut.pieces()] == [b"def"]
    assert cut.received == 6


async def test_a_client_that_leaves_in_the_middle_of_its_body() -> None:
    """Reading raises; whoever waits for the departure hears of it."""
    leaving, _ = exchange(PIECES[0], {"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await leaving.body(100)
    await asyncio.wait_for(leaving.gone(), 1)


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    """And finished work is finished."""
    leaving, _ = exchange({"type": "http.request"}, {"type": "http.disconnect"}, headers=[])
    with pytest.raises(ClientGone):
        await leaving.unless_gone(asyncio.Event().wait())
    staying, sent = exchange(headers=[])
    await staying.unless_gone(staying.start(200, ()))
    assert sent[0]["status"] == 200


async def test_a_server_that_says_gone_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes nothing back: the work goes on to its end."""
    monkeypatch.setattr("es_rerank.app.exchange._WATCH_AFTER_S", 0)
    done, _ = exchange({"type": "http.disconnect"}, headers=[])

    async def work() -> str:
        await done.write(b"all", more=False)
        for _ in range(9):
            await asyncio.sleep(0)  # the watcher has its turns
        return "noted"

    assert await done.unless_gone(work()) == "noted"


async def test_who_cancels_the_exchange_itself() -> None:
    """Is not taken for a client that left."""
    staying, _ = exchange(headers=[])
    working = asyncio.create_task(staying.unless_gone(asyncio.Event().wait()))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_faults_of_the_work_come_through() -> None:
    """They are not swallowed."""
    staying, _ = exchange(headers=[])

    async def fail() -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        await staying.unless_gone(fail())


def test_targets_without_our_protocol() -> None:
    """Put together from ASGI's parts."""
    assert exchange()[0].target == b"/a?x=1"
    assert exchange(raw_path=b"/%61", query_string=b"")[0].target == b"/%61"
    assert not exchange(headers=[(b"content-length", b"0")])[0].has_body
    assert exchange(headers=[(b"transfer-encoding", b"chunked")])[0].has_body
