"""A certificate authority and what it signed, made by OpenSSL for one test run."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SUBJECT = "subjectAltName=IP:127.0.0.1,DNS:localhost"


class Certificates:
    """PEM files for 127.0.0.1: for a server or a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca, self.cert, self.key = folder / "ca.pem", folder / "node.pem", folder / "node.key"
        self.both, self.locked = folder / "both.pem", folder / "locked.key"
        authority = [
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=test CA",
            "-days",
            "2",
        ]
        self._openssl("req", "-x509", *authority)
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=node")
        (folder / "san").write_text(_SUBJECT)
        signed = [
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san",
            "-out",
            "node.pem",
        ]
        self._openssl("x509", "-req", "-in", "node.csr", *signed)
        self._openssl("rsa", "-aes256", "-in", "node.key", "-out", "locked.key", "-passout", "pass:secret")
        self.both.write_text(self.cert.read_text() + self.key.read_text())

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
