"""How certificates are checked; on a real nginx in tests/real/test_secured.py."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from es_rerank.errors import ConfigError
from es_rerank.upstream.tls import ChainFingerprint, verification
from tests.certificates import Certificates


def test_choices(tmp_path: Path) -> None:
    """System roots, nothing, a fingerprint; unusable ones are named."""
    assert verification(None, None, insecure=False) is True
    assert verification(None, None, insecure=True) is False
    assert isinstance(verification(None, "AA:" * 31 + "aa", insecure=False), ChainFingerprint)
    with pytest.raises(ConfigError, match="SHA-256"):
        verification(None, "abc", insecure=False)
    with pytest.raises(ConfigError, match="cannot be used"):
        verification(tmp_path / "none.pem", None, insecure=False)


def test_a_certificate_of_our_own(certificates: Certificates) -> None:
    """With its key beside it or in it; not with a fingerprint; what is unusable is named, never asked for a passphrase."""
    made = certificates
    for insecure in (False, True):
        context = verification(made.ca, None, insecure=insecure, cert=made.cert, key=made.key)
        assert isinstance(context, ssl.SSLContext)
        assert (context.verify_mode is ssl.CERT_NONE, context.check_hostname) == (insecure, not insecure)
    assert isinstance(verification(None, None, insecure=False, cert=made.both), ssl.SSLContext)
    with pytest.raises(ConfigError, match="together with a fingerprint"):
        verification(None, "AA" * 32, insecure=False, cert=made.cert)
    for cert, key in ((made.cert, None), (made.folder / "none", None), (made.cert, made.locked)):
        with pytest.raises(ConfigError, match="--upstream-cert"):
            verification(None, None, insecure=False, cert=cert, key=key)


class FakeTransport:
    """A connection with one certificate, and a public chain as Python 3.13 has it."""

    def __init__(self, *chain: bytes) -> None:
        self.chain = chain

    def get_unverified_chain(self) -> list[bytes]:
        return list(self.chain)

    def get_extra_info(self, name: str) -> Any:
        return {"ssl_object": self if self.chain else None, "peername": ("h", 1)}[name]


def test_any_certificate_of_the_chain_may_match() -> None:
    """The node's own, or the CA's; a plain connection has none to check."""
    import hashlib

    check = ChainFingerprint(hashlib.sha256(b"ca").digest()).check
    check(FakeTransport(b"leaf", b"ca"))  # type: ignore[arg-type]
    check(FakeTransport())  # type: ignore[arg-type]
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        check(FakeTransport(b"leaf", b"other"))  # type: ignore[arg-type]
