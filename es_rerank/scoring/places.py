"""What to say where a model cannot be had: where it was looked for, and the ways out."""

from __future__ import annotations

import os
from pathlib import Path

WAYS_OUT = (
    "ways out: a folder that holds the model (--model /path/to/model, a ModelScope download too); a network that reaches "
    "the hub; a mirror (HF_ENDPOINT=https://…); a cache filled elsewhere (HF_HOME, with HF_HUB_OFFLINE=1); or another "
    "scorer (ES_RERANK_SCORER=embedded)"
)


def unloadable(model: str, exc: Exception) -> str:
    """One sentence for whoever asked for ``model``."""
    if Path(model).is_dir():
        looked = f"in the folder {Path(model).resolve()}"
    elif model.startswith(("/", "./", "../", "~")):
        looked = f"for a folder {model}, which does not exist"
    else:
        home = os.environ.get("HF_HOME", "~/.cache/huggingface")
        hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
        offline = os.environ.get("HF_HUB_OFFLINE", "") not in {"", "0"}
        looked = f"in the cache {home}" + ("" if offline else f" and at {hub}")
    first = str(exc).strip().partition("\n")[0]
    return f"the model {model} cannot be loaded; looked {looked}: {type(exc).__name__}: {first}; {WAYS_OUT}"
