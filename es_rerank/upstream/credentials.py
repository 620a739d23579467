"""The login of our own calls to Elasticsearch: never put on a client's request, never taken from one."""

from __future__ import annotations

from base64 import b64encode
from typing import Protocol

from pydantic import SecretStr

from es_rerank.core.ports import Headers


class Credentials(Protocol):
    """Where the login stands: the settings."""

    own_api_key: SecretStr | None
    own_user: str | None
    own_password: SecretStr | None


def authorization(credentials: Credentials) -> Headers:
    """The ``Authorization`` line: an API key (as Elasticsearch prints it encoded, or as ``id:key``), else a user."""
    if credentials.own_api_key is not None:
        key = credentials.own_api_key.get_secret_value()
        encoded = b64encode(key.encode()).decode() if ":" in key else key
        return ((b"authorization", f"ApiKey {encoded}".encode()),)
    if credentials.own_user is not None:
        password = credentials.own_password.get_secret_value() if credentials.own_password else ""
        login = b64encode(f"{credentials.own_user}:{password}".encode()).decode()
        return ((b"authorization", f"Basic {login}".encode()),)
    return ()
