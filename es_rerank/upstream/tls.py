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


def verification(
    ca: Path | None, fingerprint: str | None, *, insecure: bool, cert: Path | None = None, key: Path | None = None
) -> ssl.SSLContext | aiohttp.Fingerprint | bool:
    """What aiohttp takes as ``ssl``; ``cert`` and ``key`` are a client certificate of ours.

    Raises ConfigError for an unusable file or fingerprint, or for two that exclude each other.
    """
    if fingerprint is not None:
        if cert is not None:
            remedy = "check the certificate by --upstream-ca where you show one of your own"
            raise ConfigError("--upstream-cert", "", "cannot be used together with a fingerprint", remedy)
        try:
            return ChainFingerprint(bytes.fromhex(fingerprint.replace(":", "")))
        except ValueError as exc:
            remedy = "give the 64 hexadecimal digits that Elasticsearch printed, colons allowed"
            raise ConfigError("--upstream-fingerprint", "", "not a SHA-256 fingerprint", remedy) from exc
    if cert is None and (insecure or ca is None):
        return not insecure
    context = _trusting(ca)
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert is not None:
        _show(context, cert, key)
    return context


def _trusting(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as exc:
        remedy = "give a readable PEM file, http_ca.crt of Elasticsearch's config/certs for one"
        raise ConfigError("--upstream-ca", "", f"{ca} cannot be used: {exc}", remedy) from exc


def _show(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(cert, key, _no_passphrase)
    except (OSError, ssl.SSLError, ValueError) as exc:
        remedy = "give readable PEM files that belong together, the key not encrypted"
        raise ConfigError(
            "--upstream-cert", "", f"{cert} and {key or 'the key in it'} cannot be used: {exc}", remedy
        ) from exc


def _no_passphrase() -> str:
    """Asked for where a key is encrypted, where OpenSSL would otherwise ask at the terminal."""
    raise ValueError("the key is encrypted")
