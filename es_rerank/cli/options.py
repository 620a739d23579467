"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Upstream = Annotated[
    str | None, typer.Option(help="Elasticsearch's address, or several with commas between [http://127.0.0.1:9200]")
]
Config = Annotated[Path | None, typer.Option(help="folder of policy files [plugin_config]")]
Ca = Annotated[Path | None, typer.Option(help="PEM file of the CA of Elasticsearch's certificate")]
Fingerprint = Annotated[str | None, typer.Option(help="SHA-256 of that CA or certificate")]
Cert = Annotated[Path | None, typer.Option(help="PEM file of a client certificate for Elasticsearch")]
Key = Annotated[Path | None, typer.Option(help="PEM file of that certificate's key")]
TlsCert = Annotated[Path | None, typer.Option(help="PEM file of the certificate that the listeners show [plain HTTP]")]
TlsKey = Annotated[Path | None, typer.Option(help="PEM file of its key")]
Insecure = Annotated[bool | None, typer.Option(help="accept any certificate; for trials only")]
Scorer = Annotated[str | None, typer.Option(help="engine, flagembedding, onnx, openvino, embedded, remote or fake [engine]")]
ScorerUrls = Annotated[str | None, typer.Option(help="for remote: http://host:port or unix:/path, with commas between")]
Model = Annotated[str | None, typer.Option(help="name or folder of the model [BAAI/bge-reranker-v2-m3]")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, cuda:0,cuda:1, cuda:all [auto]")]
Precision = Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16, fp8 or int8 [auto]")]

LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error [info]")]
