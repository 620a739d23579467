"""Our own login."""

from __future__ import annotations

from base64 import b64encode

from es_rerank.config.settings import load_settings
from es_rerank.upstream.credentials import authorization


def test_keys_and_users() -> None:
    """A key as Elasticsearch prints it encoded, or as id:key; else user and password; else nothing."""
    assert authorization(load_settings(own_api_key="ZW5j")) == ((b"authorization", b"ApiKey ZW5j"),)
    assert authorization(load_settings(own_api_key="id:key")) == ((b"authorization", b"ApiKey " + b64encode(b"id:key")),)
    basic = b"Basic " + b64encode(b"elastic:p")
    assert authorization(load_settings(own_user="elastic", own_password="p")) == ((b"authorization", basic),)
    assert authorization(load_settings(own_user="u")) == ((b"authorization", b"Basic " + b64encode(b"u:")),)
    assert authorization(load_settings()) == ()
