"""How Elasticsearch's certificate is checked: by the system's roots, a CA file, a fingerprint, or not at all.

Fingerprints are the SHA-256 that Elasticsearch prints at its first start: of the CA or of the node's own certificate,
as the official clients take them (``ssl_assert_fingerprint``).
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path
from typing import Any

import aiohttp

from es_rerank.errors import ConfigError


class ChainFingerprint(aiohttp.Fingerprint):
    """Accepts a connection if any certificate that the server sent has the fingerprint."""

    def check(self, transport: asyncio.Transport) -> None:
        """Raise ServerFingerprintMismatch unless the fingerprint is among those of the chain."""
        sslobj = transport.get_extra_info("ssl_object")
        if sslobj is None:
            return
        found = [hashlib.sha256(certificate).digest() for certificate in _chain(sslobj)]
        if self.fingerprint not in found:
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self.fingerprint, found[0], host, port)


def _chain(sslobj: Any) -> list[bytes]:  # noqa: ANN401  ssl.SSLObject, whose chain is public from Python 3.13 on
    """All certificates that the server sent, its own first, as DER."""
    if hasattr(sslobj, "get_unverified_chain"):
        return list(sslobj.get_unverified_chain())
    import _ssl  # noqa: PLC0415  only before 3.13

    inner = getattr(sslobj, "_sslobj", None)
    sent = inner.get_unverified_chain() if inner is not None else None
    if not sent:
        return [sslobj.getpeercert(binary_form=True)]
    return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in sent]


def verification(ca: Path | None, fingerprint: str | None, *, insecure: bool) -> ssl.SSLContext | aiohttp.Fingerprint | bool:
    """What aiohttp takes as ``ssl``; raises ConfigError for an unusable file or fingerprint."""
    if fingerprint is not None:
        try:
            return ChainFingerprint(bytes.fromhex(fingerprint.replace(":", "")))
        except ValueError as exc:
            remedy = "give the 64 hexadecimal digits that Elasticsearch printed, colons allowed"
            raise ConfigError("--upstream-fingerprint", "", "not a SHA-256 fingerprint", remedy) from exc
    if insecure:
        return False
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as exc:
        remedy = "give a readable PEM file, http_ca.crt of Elasticsearch's config/certs for one"
        raise ConfigError("--upstream-ca", "", f"{ca} cannot be used: {exc}", remedy) from exc
