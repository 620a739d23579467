"""Both listeners, from start to end."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from es_rerank.app.background import running
from es_rerank.app.build import Application
from es_rerank.app.serve import listener
from es_rerank.config.settings import Settings
from es_rerank.errors import ConfigError, ModelLoadError
from es_rerank.scoring.backend import TextBackend
from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.texts import Texts
from tests.certificates import Certificates
from tests.running import POLICY, proxy
from tests.stubs import stub, whole


def application(folder: object, load: Callable[[], TextBackend], **more: object) -> Application:
    settings = Settings(config=folder, upstream="http://127.0.0.1:1", scorer="fake", **more)  # type: ignore[arg-type]
    return Application(settings, lambda: [Texts(load())])


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> object:
    path = tmp_path_factory.mktemp("policies")
    (path / "p.yaml").write_text(POLICY)
    return path


def test_not_ready_until_the_model_is_warm(folder: object) -> None:
    """The process answers, the probe says 503, searches keep Elasticsearch's way meanwhile."""
    gate = threading.Event()

    def slow() -> TextBackend:
        gate.wait(20)
        return FakeBackend()

    app = application(folder, slow)
    sockets = listener("127.0.0.1:0", "--listen"), listener("127.0.0.1:0", "--api")
    api = f"http://127.0.0.1:{sockets[1].getsockname()[1]}"
    statuses = []

    def probe() -> None:
        statuses.append(httpx.get(f"{api}/healthz").status_code)
        statuses.append(httpx.get(f"{api}/readyz").status_code)
        gate.set()

    prober = threading.Thread(target=probe)
    prober.start()
    with running(app, *sockets) as found:
        prober.join()
        assert statuses == [200, 503]
        told = httpx.get(f"{found.api}/readyz")
        assert told.status_code == 200
        assert told.json()["model"] == "fake"
        assert told.json()["policies"] == ["books*"]


def test_a_model_that_cannot_be_loaded_ends_the_process(folder: object) -> None:
    """With its message."""

    def broken() -> TextBackend:
        raise ModelLoadError("no such model")

    with pytest.raises(ModelLoadError, match="no such model"):
        with running(application(folder, broken), listener("127.0.0.1:0", ""), listener("127.0.0.1:0", "")):
            pytest.fail("must not become ready")


def test_a_taken_port_names_the_option() -> None:
    """And what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="--listen"):
        listener(f"127.0.0.1:{taken.getsockname()[1]}", "--listen")


def test_ipv6() -> None:
    """In brackets."""
    with listener("[::1]:0", "--listen") as found:
        assert found.family is socket.AF_INET6


def test_every_listener_shows_a_certificate(certificates: Certificates) -> None:
    """The proxy and the API; searches pass through both of two proxies, one before the other."""
    trusting = ssl.create_default_context(cafile=str(certificates.ca))
    shown: dict[str, Any] = {"tls_cert": certificates.cert, "tls_key": certificates.key}
    with stub(lambda _: iter([whole("200 OK", ["X-elastic-product: Elasticsearch"], b"body")])) as upstream:
        with proxy(upstream.url, **shown) as inner, proxy(inner.url, upstream_ca=certificates.ca, **shown) as outer:
            assert httpx.get(f"{outer.url}/any", verify=trusting).content == b"body"
            assert httpx.get(f"{outer.api}/readyz", verify=trusting).json()["ready"] is True
            with pytest.raises(httpx.TransportError):
                httpx.get(outer.url.replace("https", "http"))


@pytest.mark.parametrize("kind", ["cert", "key"])
def test_certificates_that_cannot_be_used(folder: object, certificates: Certificates, kind: str) -> None:
    """Are named, with the way out."""
    wrong = (
        {"tls_cert": certificates.folder / "none"}
        if kind == "cert"
        else {"tls_cert": certificates.cert, "tls_key": certificates.ca}
    )
    app = application(folder, FakeBackend, **wrong)
    with listener("127.0.0.1:0", "--listen") as proxy_socket, listener("127.0.0.1:0", "--api") as api_socket:
        with pytest.raises(ConfigError, match="--tls-cert"):
            with running(app, proxy_socket, api_socket):
                raise AssertionError("it must not start")


def test_small_packets_do_not_wait() -> None:
    """What is accepted sends at once (no Nagle): an answer in two writes would wait 40 ms for a delayed acknowledgement."""
    with listener("127.0.0.1:0", "--listen") as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
