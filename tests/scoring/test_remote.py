"""Scorers in other processes, on real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from es_rerank.app.scorer import serve
from es_rerank.config.settings import Settings
from es_rerank.core.ports import ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError
from es_rerank.scoring import addresses
from es_rerank.scoring.backend import TextBackend
from es_rerank.scoring.budget import Budget
from es_rerank.scoring.remote import RemoteScorer
from es_rerank.scoring.texts import Texts
from tests.certificates import Certificates
from tests.fakes import FaultyBackend, ShufflingBackend


@asynccontextmanager
async def scorer(listen: str, backend: TextBackend, **settings: object) -> AsyncIterator[None]:
    """A scorer process's server, in this process."""
    stop, started = asyncio.Event(), asyncio.Event()
    given = Settings(scorer="fake", shutdown_s=1, **settings)  # type: ignore[arg-type]
    task = asyncio.create_task(serve(given, listen, stop, started.set, load_backends=lambda: [Texts(backend)]))
    await asyncio.wait({task, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def remote(*urls: str, ready: bool = True) -> AsyncIterator[RemoteScorer]:
    found = RemoteScorer(urls)
    while ready and isinstance(await found.info(), str):
        await asyncio.sleep(0.01)
    yield found
    await found.close()


async def warm(*urls: str) -> None:
    """Wait until every one of them would score."""
    for url in urls:
        async with remote(url):
            pass


def job(*passages: str, seconds: float = 20) -> ScoringJob:
    return ScoringJob("q", passages, 512, asyncio.get_running_loop().time() + seconds, "books", 2.0)


def logits(*passages: str) -> tuple[float, ...]:
    return tuple(ShufflingBackend().score([("q", passage) for passage in passages], 512))


async def test_the_same_logits_as_in_process(tmp_path: Path) -> None:
    """To the last bit, in the order asked, over a unix socket; what was cut is told."""
    address = f"unix:{tmp_path / 's.sock'}"
    async with scorer(address, ShufflingBackend()), remote(address) as found:
        texts = [f"passage {place}" for place in range(40)] + ["long " * 4000]
        scored = await found.score(job(*texts))
        assert scored.logits == logits(*texts)
        assert scored.truncated == (False,) * 40 + (True,)
        assert scored.model_s > 0
        assert (await found.score(job())).logits == ()
        info = await found.info()
        assert not isinstance(info, str)
        assert info.model_id == "shuffling"
    assert not (tmp_path / "s.sock").exists()
    assert repr(found) == f"<RemoteScorer at {address}>"


async def test_the_deadline_travels(tmp_path: Path) -> None:
    """What is scored by then comes back; the rest is None, without a fault."""

    class Halting(ShufflingBackend):
        released = threading.Event()

        def score(self, pairs: Sequence[tuple[str, str]], max_length: int) -> list[float]:
            if ("q", "stop") in pairs:
                self.released.wait(20)
            return super().score(pairs, max_length)

    address = f"unix:{tmp_path / 's.sock'}"
    async with scorer(address, Halting(), max_batch_tokens=16), remote(address) as found:
        scored = await found.score(job("a" * 40, "b" * 40, "stop", "c" * 40, seconds=0.4))
        assert scored.logits == (*logits("a" * 40, "b" * 40), None, None)
        Halting.released.set()


async def test_another_address_takes_over(tmp_path: Path) -> None:
    """One that cannot be reached is asked last for a while; where none can be, that is a fault that names it."""
    dead, alive = f"unix:{tmp_path / 'dead.sock'}", f"unix:{tmp_path / 'alive.sock'}"
    async with scorer(alive, ShufflingBackend()), remote(dead, alive) as found:
        for _ in range(3):
            assert (await found.score(job("a"))).logits == logits("a")
    async with remote(dead, ready=False) as found:
        with pytest.raises(ScorerError, match=r"dead\.sock cannot be reached"):
            await found.score(job("a"))
        assert "dead.sock" in str(await found.info())


async def test_a_place_that_hangs_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer by the deadline: nothing was scored, and the next searches go elsewhere at once."""
    hung, alive = f"unix:{tmp_path / 'hung.sock'}", f"unix:{tmp_path / 'alive.sock'}"

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(hang, str(tmp_path / "hung.sock"))
    kinds: list[str] = []
    monkeypatch.setattr(addresses, "FIRST_REST_S", 30.0)  # however busy this machine is
    async with scorer(alive, ShufflingBackend()):
        await warm(alive)
        found = RemoteScorer([hung, alive], tell=kinds.append)
        assert (await found.score(job("a", seconds=0.15))).logits == (None,)
        for _ in range(5):
            assert (await found.score(job("a"))).logits == logits("a")
        assert kinds == ["first"] * 6
        await found.close()
    server.close()


@pytest.mark.parametrize("body", [b'[{"index": 9, "score": 1}]', b"nonsense", b'["\xff"]', b"[1]"])
async def test_an_answer_that_is_none(tmp_path: Path, body: bytes) -> None:
    """Too many places, no JSON, no UTF-8, another shape: a fault of that scorer, and another is asked."""

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(garbage, str(tmp_path / "odd.sock"))
    odd, alive = f"unix:{tmp_path / 'odd.sock'}", f"unix:{tmp_path / 'alive.sock'}"
    async with scorer(alive, ShufflingBackend()), remote(odd, alive) as found:
        assert (await found.score(job("a"))).logits == logits("a")
        assert found._addresses.all[0].failures == 1
    server.close()


async def test_retries_have_a_budget(tmp_path: Path) -> None:
    """Where every address fails, a search is not sent to all of them for ever."""
    kinds: list[str] = []
    found = RemoteScorer([f"unix:{tmp_path / name}" for name in ("a", "b", "c")], tell=kinds.append)
    for _ in range(40):
        with pytest.raises(ScorerError, match="cannot be reached"):
            await found.score(job("a"))
    assert kinds.count("first") == 40
    assert 10 <= kinds.count("retry") <= 14
    await found.close()


async def test_the_slowest_are_asked_elsewhere_too(tmp_path: Path) -> None:
    """The first answer counts, and the place that hung is rid of the work; at most one in a hundred is asked twice."""
    slow, quick = FaultyBackend(), ShufflingBackend()
    first, second = f"unix:{tmp_path / 'first.sock'}", f"unix:{tmp_path / 'second.sock'}"
    kinds: list[str] = []
    async with scorer(first, slow), scorer(second, quick):
        await warm(first, second)
        found = RemoteScorer([first, second], tell=kinds.append)
        for place in range(120):
            await found.score(job(f"known {place}"))
        found._hedging._budget = Budget(0, 1)  # whatever was spent on a machine that is busy
        before = kinds.count("hedge")
        slow.fault = "stalls"
        scored = await found.score(job("late"))
        assert scored.logits == logits("late")
        assert kinds[-2:] == ["hedge", "hedge-won"]
        assert kinds.count("hedge") == before + 1
        slow.fault = ""
        slow.released.set()
        for place in range(5):
            assert (await found.score(job(f"again {place}"))).logits == logits(f"again {place}")
        await found.close()


async def test_a_hedge_does_not_outlive_its_search(tmp_path: Path) -> None:
    """A caller who leaves takes both requests along; two faults are the first's."""
    kinds: list[str] = []
    slow, other = FaultyBackend(), FaultyBackend()
    first, second = f"unix:{tmp_path / 'first.sock'}", f"unix:{tmp_path / 'second.sock'}"
    async with scorer(first, slow), scorer(second, other):
        await warm(first, second)
        found = RemoteScorer([first, second], tell=kinds.append)
        for place in range(200):
            await found.score(job(f"known {place}"))
        found._hedging._budget = Budget(0, 1)
        slow.fault = other.fault = "stalls"
        task = asyncio.ensure_future(found.score(job("late")))
        while kinds[-1] != "hedge":
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [one.requests for one in found._addresses.all] == [0, 0]
        for backend in (slow, other):
            backend.released.set()
        await found.close()


async def test_faults_keep_their_kind(tmp_path: Path) -> None:
    """A failed model, a full queue; a caller who goes away is dropped from the other queue."""
    address = f"unix:{tmp_path / 's.sock'}"
    backend = FaultyBackend()
    async with scorer(address, backend, max_queued_pairs=3), remote(address) as found:
        backend.fault = "raises"
        with pytest.raises(ScorerError, match=r"answered 424: .*the model has died"):
            await found.score(job("a"))
        backend.fault = "stalls"
        calls = backend.calls
        first = asyncio.ensure_future(found.score(job("first")))
        while backend.calls == calls:
            await asyncio.sleep(0.005)
        tasks = [asyncio.ensure_future(found.score(job(f"{place}", f"{place}x"))) for place in range(9)]
        while not any(task.done() for task in tasks):
            await asyncio.sleep(0.005)
        told = [task.exception() for task in tasks if task.done()]
        assert told
        assert all(isinstance(exc, ScorerBusy) for exc in told)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.2)
        backend.fault = ""
        backend.released.set()
        await first
        assert (await found.score(job("last"))).logits == logits("last")
        assert backend.calls == calls + 2


async def test_over_https(certificates: Certificates) -> None:
    """By a CA of one's own; without it there is no trust; an unusable file is named."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    async with scorer(place, ShufflingBackend(), tls_cert=certificates.cert, tls_key=certificates.key):
        trusting, strange = RemoteScorer([f"https://{place}"], certificates.ca), RemoteScorer([f"https://{place}"])
        while isinstance(await trusting.info(), str):
            await asyncio.sleep(0.01)
        assert (await trusting.score(job("a", "b"))).logits == logits("a", "b")
        with pytest.raises(ScorerError, match="cannot be reached"):
            await strange.score(job("a"))
        await trusting.close()
        await strange.close()
    with pytest.raises(ScorerError, match="cannot be used"):
        RemoteScorer([], certificates.folder / "none")
