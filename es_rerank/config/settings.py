"""Settings of the process: command line first, then the environment (``ES_RERANK_…``), then the defaults here.

Each is described here once; ``docs/configuration.md`` is generated from it. Secrets never print.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from es_rerank.core.ports import Precision
from es_rerank.errors import ConfigError

ScorerName = Literal["engine", "flagembedding", "onnx", "openvino", "embedded", "remote", "fake"]

DEFAULT_WINDOWS = {
    "engine": 100,
    "flagembedding": 100,
    "onnx": 100,
    "openvino": 100,
    "remote": 100,
    "embedded": 30,
    "fake": 100,
}
"""The rank window where a policy names none: what the scorer can be expected to read in time."""


class Settings(BaseSettings):
    """What one process of es-rerank is told."""

    model_config = SettingsConfigDict(env_prefix="ES_RERANK_", extra="ignore", frozen=True)

    upstream: Annotated[
        str, Field(description="Elasticsearch's address, `http(s)://host:port`; of several nodes, with commas between")
    ] = "http://127.0.0.1:9200"
    config: Annotated[Path, Field(description="the folder of policy files")] = Path("plugin_config")
    listen: Annotated[str, Field(description="where clients connect, `host:port`")] = "127.0.0.1:9201"
    reuse_port: Annotated[bool, Field(description="share the proxy's port with other processes (`--workers` sets it)")] = (
        False
    )
    api: Annotated[str, Field(description="where health, metrics and pages are, `host:port`")] = "127.0.0.1:9202"
    upstream_ca: Annotated[Path | None, Field(description="PEM file of the CA that signed Elasticsearch's certificate")] = (
        None
    )
    upstream_fingerprint: Annotated[
        str | None, Field(description="SHA-256 of the CA's or the node's certificate, as Elasticsearch prints it")
    ] = None
    upstream_insecure: Annotated[bool, Field(description="accept any certificate; for trials only")] = False
    upstream_cert: Annotated[
        Path | None, Field(description="PEM file of a client certificate for Elasticsearch, its chain, perhaps its key")
    ] = None
    upstream_key: Annotated[Path | None, Field(description="PEM file of that certificate's key, not encrypted")] = None
    advertise: Annotated[
        str | None,
        Field(
            description="`host:port` that clients which sniff are told instead of the nodes' own addresses, so they stay on "
            "the proxy; none: they are told the nodes'"
        ),
    ] = None
    tls_cert: Annotated[
        Path | None, Field(description="PEM file of the certificate that every listener shows; none: plain HTTP")
    ] = None
    tls_key: Annotated[Path | None, Field(description="PEM file of its key, not encrypted")] = None
    upstream_connect_timeout_s: Annotated[float, Field(gt=0, description="to open a connection to Elasticsearch")] = 5.0
    upstream_answer_timeout_s: Annotated[
        float,
        Field(gt=0, description="until Elasticsearch begins to answer a search; other requests may take any time"),
    ] = 120.0
    scorer_dialect: Annotated[
        Literal["es-rerank", "tei", "vllm", "infinity", "cohere", "jina", "voyage"],
        Field(description="of `remote`: whose rerank API the addresses speak; `es-rerank` is that of `es-rerank scorer`"),
    ] = "es-rerank"
    scorer_key: Annotated[
        SecretStr | None, Field(description="of `remote`: API key, sent as `Authorization: Bearer`, but not to `es-rerank`")
    ] = None
    scorer_batch: Annotated[
        int | None,
        Field(ge=1, description="of `remote`: texts in one request; none: what the system usually takes (TEI 32)"),
    ] = None
    scorer_ca: Annotated[Path | None, Field(description="of `remote` over https: PEM file of the CA of the scorers")] = None
    own_api_key: Annotated[
        SecretStr | None, Field(description="API key for our own calls (doctor, init, compare page); never a client's")
    ] = None
    own_user: Annotated[str | None, Field(description="user for our own calls, instead of a key")] = None
    own_password: Annotated[SecretStr | None, Field(description="password of that user")] = None
    api_key: Annotated[
        SecretStr | None,
        Field(
            description="what callers of the rerank APIs have to send, as `Authorization: Bearer`; none: anybody may call"
        ),
    ] = None
    api_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            description="names under which browsers reach the API's pages, `rerank.example`, with commas between, beside "
            "addresses and `localhost`; others are refused"
        ),
    ] = ()
    read_key: Annotated[
        SecretStr | None,
        Field(description="what opens the API's pages; without any key they are open on loopback, and closed beyond it"),
    ] = None
    judge_key: Annotated[SecretStr | None, Field(description="what opens the pages and lets a person grade hits there")] = (
        None
    )
    admin_key: Annotated[
        SecretStr | None,
        Field(
            description="what opens the pages and lets a person stop and ramp experiments there, and with `PUT "
            "/experiments/…`; none: nobody can change anything"
        ),
    ] = None
    judgments: Annotated[
        Path | None, Field(description="folder of the query sets that people grade on the Judge page; none: nobody can")
    ] = None
    recent_searches: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="searches kept in memory, without logins, for the Policies page to try a change on; 0: none",
        ),
    ] = 50
    state: Annotated[
        Path | None,
        Field(
            description="file in which the processes of one machine share what was changed about experiments; none: the "
            "index `.es-rerank-state` of the upstream cluster"
        ),
    ] = None
    events: Annotated[
        str | None, Field(description="where clicks and conversions are reported, `host:port`; none: nowhere")
    ] = None
    events_index: Annotated[str | None, Field(description="index of the upstream cluster for them; empty: none")] = (
        "ubi_events"
    )
    events_file: Annotated[
        Path | None, Field(description="JSON lines of them; beside an index it takes over while that is away")
    ] = None
    events_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="web sites whose pages may report, `https://shop.example`, with commas between; `*`: any"),
    ] = ()
    events_token: Annotated[
        SecretStr | None,
        Field(description="what reports have to bring, as `Authorization: Bearer` or `?token=`; it lets nobody read"),
    ] = None
    events_per_minute: Annotated[int, Field(ge=1, description="reports that one address may send in a minute")] = 600
    scorer: Annotated[
        ScorerName,
        Field(
            description="`engine`: the real model by our own forward pass; `flagembedding`: the same model by the reference "
            "implementation; `onnx`, `openvino`: a model in that format; `embedded`: small models from packages; `remote`: "
            "other processes of `es-rerank scorer`; `fake`: word overlap",
        ),
    ] = "engine"
    scorer_urls: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="of `remote`: addresses, `http://host:port` or `unix:/path/to.sock`, with commas between"),
    ] = ()
    model: Annotated[str, Field(description="name or folder of the model that `engine` or `flagembedding` loads")] = (
        "BAAI/bge-reranker-v2-m3"
    )
    device: Annotated[str, Field(description="`auto`, `cpu`, `cuda`, `cuda:1`, `cuda:0,cuda:1` or `cuda:all`")] = "auto"
    precision: Annotated[
        Precision,
        Field(
            description="of `engine`; `auto`: fp16 on a GPU, bf16 on a CPU that multiplies it, fp32 elsewhere; `fp8`: "
            "faster on GPUs that have it, and not exact",
        ),
    ] = "auto"
    max_batch_tokens: Annotated[
        int, Field(ge=16, description="tokens in one batch of the model; fewer where those take longer than 150 ms")
    ] = 16_384
    cached_scores: Annotated[
        int, Field(ge=0, description="logits remembered, so that a search that comes again costs no model time; 0: none")
    ] = 200_000
    max_queued_pairs: Annotated[
        int, Field(ge=1, description="pairs that may wait for the model; more searches keep Elasticsearch's order")
    ] = 4_000
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="what is logged")] = "info"
    shutdown_s: Annotated[int, Field(ge=0, description="how long searches in flight may take to finish at the end")] = 30

    @field_validator("scorer_urls", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        urls = tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        for url in urls if isinstance(urls, tuple) else ():
            if not str(url).startswith(("http://", "https://", "unix:/")):
                msg = "expected http(s)://host:port or unix:/path/to.sock"
                raise ValueError(msg)
        return urls

    @field_validator(
        "api_key", "read_key", "judge_key", "admin_key", "events_token", "scorer_key", "own_api_key", mode="before"
    )
    @classmethod
    def _an_empty_key_is_none(cls, value: object) -> object:
        """A variable that is set to nothing must not become a key that everybody has."""
        return None if value == "" else value

    @field_validator("api_hosts", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().lower() for part in value.split(",") if part.strip())

    @field_validator("events_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        found = tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        for origin in found if isinstance(found, tuple) else ():
            if origin != "*" and (not origin.startswith(("http://", "https://")) or urlsplit(origin).path):
                msg = "expected https://host without a path, or *"
                raise ValueError(msg)
        return found

    @model_validator(mode="after")
    def _remote_has_urls(self) -> Self:
        if self.scorer == "remote" and not self.scorer_urls:
            msg = "scorer remote needs addresses: --scorer-urls http://host:port or ES_RERANK_SCORER_URLS"
            raise ValueError(msg)
        return self

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The address of each node."""
        return tuple(self.upstream.split(","))

    @field_validator("upstream")
    @classmethod
    def _addresses_of_nodes(cls, value: str) -> str:
        return ",".join(_address(part.strip()) for part in value.split(",") if part.strip()) or _address(value)

    @field_validator("advertise", "events")
    @classmethod
    def _a_place_or_none(cls, value: str | None) -> str | None:
        return value if value is None else cls._a_place(value)

    @model_validator(mode="after")
    def _certificates_are_whole(self) -> Self:
        if self.tls_key is not None and self.tls_cert is None:
            msg = "a key without a certificate: give --tls-cert or ES_RERANK_TLS_CERT, too"
            raise ValueError(msg)
        if self.upstream_key is not None and self.upstream_cert is None:
            msg = "a key without a certificate: give --upstream-cert or ES_RERANK_UPSTREAM_CERT, too"
            raise ValueError(msg)
        return self

    @field_validator("listen", "api")
    @classmethod
    def _a_place(cls, value: str) -> str:
        host_and_port(value)
        return value


def _address(value: str) -> str:
    """One address with its port; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.username:
        msg = "expected http(s)://host:port, without a path and without a login"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}" if parts.port else f"{parts.scheme}://{parts.netloc}:{_port(parts.scheme)}"


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def host_and_port(place: str) -> tuple[str, int]:
    """Split ``host:port`` (``[::1]:9201`` too); raises ValueError."""
    host, mark, port = place.rpartition(":")
    if not mark or not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004  the largest port
        msg = f"expected host:port, got {place!r}"
        raise ValueError(msg)
    return host.strip("[]"), int(port)


def load_settings(**given: object) -> Settings:
    """Join arguments (None: not given) and environment; raises ConfigError that names the variable and the remedy."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as exc:
        fault = exc.errors()[0]
        remedy = "see docs/configuration.md for every setting"
        said = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:  # several settings together, secrets among them
            raise ConfigError("settings", "", said, remedy) from exc
        name = str(fault["loc"][0])
        option = f"--{name.replace('_', '-')} or ES_RERANK_{name.upper()}"
        raise ConfigError(option, "", f"{said}, got {fault['input']!r}", remedy) from exc
