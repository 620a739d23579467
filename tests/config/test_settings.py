"""Settings of the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.config.settings import host_and_port, load_settings
from es_rerank.errors import ConfigError


def test_arguments_beat_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None means not given."""
    monkeypatch.setenv("ES_RERANK_UPSTREAM", "https://es.example:9243")
    monkeypatch.setenv("ES_RERANK_SCORER", "fake")
    monkeypatch.setenv("ES_RERANK_OWN_API_KEY", "secret")
    found = load_settings(scorer="embedded", config=None)
    assert (found.upstream, found.scorer, found.config) == ("https://es.example:9243", "embedded", Path("plugin_config"))
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://a:1, https://b ,http://[::1]:2/", "http://a:1,https://b:443,http://[::1]:2"),
        ("http://h:1/", "http://h:1"),
        ("https://h", "https://h:443"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_addresses(given: str, normal: str) -> None:
    """A port is always known afterwards."""
    found = load_settings(upstream=given)
    assert found.upstream == normal
    assert found.upstreams == tuple(normal.split(","))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("upstream", "localhost:9200"),
        ("upstream", "http://u:p@h:1"),
        ("upstream", "http://h:1/path"),
        ("upstream", "http://h:1,nonsense"),
        ("upstream", ","),
        ("advertise", "proxy"),
        ("listen", "9201"),
        ("api", "h:99999"),
        ("scorer", "best"),
        ("max_queued_pairs", 0),
    ],
)
def test_faults_name_option_and_variable(name: str, value: object) -> None:
    """One line, with the way out."""
    with pytest.raises(ConfigError) as caught:
        load_settings(**{name: value})
    assert f"--{name.replace('_', '-')} or ES_RERANK_{name.upper()}" in str(caught.value)


def test_places() -> None:
    """IPv6 in brackets."""
    assert host_and_port("[::1]:9201") == ("::1", 9201)
    assert host_and_port("0.0.0.0:0") == ("0.0.0.0", 0)


@pytest.mark.parametrize("name", ["tls", "upstream"])
def test_a_key_needs_its_certificate(name: str) -> None:
    """Which is named."""
    with pytest.raises(ConfigError, match=f"--{name}-cert or ES_RERANK_{name.upper()}_CERT"):
        load_settings(**{f"{name}_key": "x.pem"})
    found = load_settings(**{f"{name}_key": "x.pem", f"{name}_cert": "y.pem"})
    assert getattr(found, f"{name}_cert") == Path("y.pem")


@pytest.mark.parametrize("name", ["api_key", "read_key", "judge_key", "admin_key", "events_token", "scorer_key"])
def test_an_empty_key_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A variable that is set to nothing gives nobody a key."""
    monkeypatch.setenv(f"ES_RERANK_{name.upper()}", "")
    assert getattr(load_settings(), name) is None
