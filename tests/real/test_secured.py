"""An existing secured cluster: HTTPS with a CA of its own and a login, as a real nginx in front of a real engine.

401 and 403 come back as they are; a second call of the same search carries the same credentials.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.core.ports import Headers
from es_rerank.errors import UpstreamUnreachable
from tests.fakes import ShufflingBackend
from tests.real.conftest import REQUIRED
from tests.real.engines import Engine, free_port
from tests.real.library import fill
from tests.running import POLICY, proxy
from tests.wire import Answer, ask

pytestmark = pytest.mark.engines

LOGIN = "Basic " + b64encode(b"elastic:secret").decode()
SNOW = {"query": {"match": {"title": "snow"}}}


class Secured:
    """nginx with a certificate and a login, and what it logged."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def fingerprint(self, name: str) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert((self.folder / name).read_text())).hexdigest()


CONFIG = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format seen '$http_authorization|$http_x_opaque_id|$request_uri';
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/node.key;
    access_log {folder}/seen.log seen;
    location /forbidden {{ add_header X-Why policy always; return 403 '{{"error":"forbidden","status":403}}'; }}
    location / {{
      auth_basic "Elasticsearch"; auth_basic_user_file {folder}/users;
      proxy_set_header Authorization ""; proxy_http_version 1.1; proxy_pass {upstream};
    }}
  }}
}}
"""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def secured(nine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    nginx = shutil.which("nginx") or ("/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else None)
    if nginx is None or shutil.which("openssl") is None:
        if REQUIRED:
            pytest.fail("nginx and openssl are required")
        pytest.skip("left out, secured cluster: nginx or openssl is not installed")
    fill(nine)
    folder = tmp_path_factory.mktemp("secured")
    subject = ("-newkey", "rsa:2048", "-nodes", "-subj")
    openssl(folder, "req", "-x509", *subject, "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30")
    openssl(folder, "req", *subject, "/CN=node", "-keyout", "node.key", "-out", "node.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "node.pem", "-days", "30", "-extfile", "names")
    openssl(folder, "x509", "-req", "-in", "node.csr", *signed)
    (folder / "chain.pem").write_text((folder / "node.pem").read_text() + (folder / "ca.pem").read_text())
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "secret"], capture_output=True, text=True, check=True).stdout
    (folder / "users").write_text(f"elastic:{hashed}")
    folder.chmod(0o755)
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, upstream=nine.url))
    process = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL)
    found = Secured(f"https://127.0.0.1:{port}", folder)
    context = ssl.create_default_context(cafile=str(found.ca))
    for _ in range(200):
        try:
            httpx.get(found.url, verify=context)
            break
        except httpx.HTTPError:
            time.sleep(0.05)
    yield found
    process.terminate()
    process.wait()


def search(url: str, **headers: str) -> Answer:
    return ask(url, "POST", "/books/_search", SNOW, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("how", ["ca", "ca fingerprint", "node fingerprint", "insecure"])
def test_12_ways_to_trust(secured: Secured, how: str) -> None:
    """A CA file, either fingerprint, or nothing at all for trials."""
    ways: dict[str, dict[str, Any]] = {
        "ca": {"upstream_ca": secured.ca},
        "ca fingerprint": {"upstream_fingerprint": secured.fingerprint("ca.pem")},
        "node fingerprint": {"upstream_fingerprint": secured.fingerprint("node.pem").upper()},
        "insecure": {"upstream_insecure": True},
    }
    with proxy(secured.url, ShufflingBackend(), **ways[how]) as running:
        assert search(running.url, Authorization=LOGIN).header("x-rerank") == "reranked;window=50;scored=50"


@pytest.mark.parametrize("options", [{}, {"upstream_fingerprint": "00" * 32}])
def test_12_an_unknown_certificate_is_refused(secured: Secured, options: dict[str, Any]) -> None:
    """No silent fallback to trust."""
    with proxy(secured.url, ShufflingBackend(), **options) as running:
        assert search(running.url, Authorization=LOGIN).status == 502


def test_12_401_and_403_come_back_as_they_are(secured: Secured) -> None:
    """Bodies and ``WWW-Authenticate`` verbatim; our own login is never lent to a client."""
    with proxy(
        secured.url, ShufflingBackend(), upstream_ca=secured.ca, own_user="elastic", own_password="secret"
    ) as running:
        refused = search(running.url)
        assert refused.status == 401
        assert refused.header("www-authenticate") == 'Basic realm="Elasticsearch"'
        forbidden = ask(running.url, "GET", "/forbidden", None, {"Authorization": LOGIN})
        assert (forbidden.status, forbidden.header("x-why")) == (403, "policy")
        assert forbidden.json() == {"error": "forbidden", "status": 403}
        assert httpx.get(f"{running.api}/compare", params={"index": "books", "q": "snow"}).status_code == 200


def test_12_a_replay_carries_the_same_credentials(secured: Secured) -> None:
    """And the same ``X-Opaque-Id``."""
    policy = POLICY + "widen: {max_bytes: 1KiB}\n"
    with proxy(secured.url, ShufflingBackend(), policy, upstream_ca=secured.ca) as running:
        (secured.folder / "seen.log").write_text("")
        got = search(running.url, Authorization=LOGIN, X_Opaque_Id="mine")
        assert got.header("x-rerank") == "fell-back;reason=too-large"
        deadline = time.monotonic() + 5
        lines: list[str] = []
        while len(lines) < 2 and time.monotonic() < deadline:
            lines = (secured.folder / "seen.log").read_text().splitlines()
        assert sorted(line.rsplit("|", 1)[0] for line in lines) == [f"{LOGIN}|mine"] * 2


def test_12_our_own_calls(secured: Secured) -> None:
    """Doctor and init trust and log in the same ways."""
    login: Headers = ((b"authorization", LOGIN.encode()),)
    for ca, fingerprint, insecure in (
        (secured.ca, None, False),
        (None, secured.fingerprint("node.pem"), False),
        (None, secured.fingerprint("ca.pem"), False),
        (None, None, True),
    ):
        cluster = Cluster([secured.url], login, ca=ca, fingerprint=fingerprint, insecure=insecure)
        assert cluster.version() == ("elasticsearch", "9.5.3")
        cluster.close()
    stranger = Cluster([secured.url], (), ca=secured.ca, fingerprint=None, insecure=False)
    with pytest.raises(Refused) as caught:
        stranger.version()
    assert caught.value.status == 401
    stranger.close()
    untrusting = Cluster([secured.url], login, ca=None, fingerprint=None, insecure=False)
    with pytest.raises(UpstreamUnreachable):
        untrusting.version()
    untrusting.close()
