"""The engine against FlagEmbedding's ``compute_score`` and transformers' own model, on true and on random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring import engine  # noqa: E402
from es_rerank.scoring.flagembedding import FlagEmbeddingBackend  # noqa: E402
from tests.real.texts import PAIRS  # noqa: E402

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


def _scored(backend: engine.EngineBackend, pairs: list[tuple[str, str]], max_length: int) -> list[float]:
    return backend.score([backend.prepare(query, [passage], max_length)[0] for query, passage in pairs])


@pytest.mark.parametrize("name", ["minilm", "xlmr"])
@pytest.mark.parametrize("max_length", [64, 512])
def test_logits_are_flagembeddings(name: str, max_length: int, request: pytest.FixtureRequest) -> None:
    """The contract: fp32 logits within 2e-5 of ``compute_score``, over English, Chinese, short, long and cut texts."""
    folder = str(request.getfixturevalue(name))
    ours = _scored(engine.load(folder, "cpu", "fp32")[0], PAIRS, max_length)
    assert ours == pytest.approx(FlagEmbeddingBackend(folder, "cpu").score(PAIRS, max_length), abs=2e-5)


@pytest.mark.parametrize("name", ["minilm", "xlmr"])
def test_16_bits_are_no_worse_than_the_reference(name: str, request: pytest.FixtureRequest) -> None:
    """bf16 stays within 1.2 times the error of transformers' own bf16, and keeps the order of clear cases."""
    from transformers import AutoModelForSequenceClassification

    folder = str(request.getfixturevalue(name))
    exact = engine.load(folder, "cpu", "fp32")[0]
    rough = engine.load(folder, "cpu", "bf16")[0]
    reference = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.bfloat16).eval()
    prepared = [exact.prepare(query, [passage], 256)[0] for query, passage in PAIRS]
    true, ours, theirs = exact.score(prepared), rough.score(prepared), []
    for one in prepared:
        tokens: Any = one.item
        types = [0] * tokens.first + [tokens.second_type] * (len(tokens.ids) - tokens.first)
        with torch.inference_mode():
            logits = reference(torch.tensor([tokens.ids.tolist()]), token_type_ids=torch.tensor([types])).logits
        theirs.append(float(logits))
    error = [max(abs(a - b) for a, b in zip(true, found, strict=True)) for found in (ours, theirs)]
    assert 0 < error[0] <= 1.2 * error[1]


def test_a_logit_does_not_depend_on_its_batch(minilm: Path) -> None:
    """Alone, among others, in any order: the same to fp32's rounding; nothing for nothing."""
    backend = engine.load(str(minilm), "cpu", "fp32")[0]
    together = _scored(backend, PAIRS, 256)
    assert [_scored(backend, [pair], 256)[0] for pair in PAIRS] == pytest.approx(together, abs=1e-5)
    assert _scored(backend, PAIRS[::-1], 256)[::-1] == pytest.approx(together, abs=1e-5)
    assert backend.score([]) == []


def test_keys_tell_models_and_lengths_apart(minilm: Path, xlmr: Path) -> None:
    """One key for one logit: the model's files, the precision, the length and the ids; not text that is cut off."""
    one, other = engine.load(str(minilm), "cpu", "fp32")[0], engine.load(str(minilm), "cpu", "bf16")[0]
    long = "cats drink water " * 50
    (key, same, short), (rough,) = one.prepare("q", [long, long + "more", "x"], 64), other.prepare("q", [long], 64)
    assert key.key == same.key
    assert len({key.key, short.key, rough.key, one.prepare("q", [long], 65)[0].key}) == 4
    assert [key.truncated, same.truncated, short.truncated] == [True, True, False]
    assert (key.cost, other.device) == (64, "cpu bf16")


def test_longer_than_the_position_table(minilm: Path) -> None:
    """``max_length`` is bounded by what the model was trained for."""
    backend = engine.load(str(minilm), "cpu", "fp32")[0]
    prepared = backend.prepare("q", ["water " * 3000], 8192)[0]
    assert prepared.cost == 512
    assert len(backend.score([prepared])) == 1


def test_a_tanh_gelu(minilm: Path, tmp_path: Path) -> None:
    """A checkpoint that asks for the tanh form gets it, and differs from the exact one."""
    import shutil

    folder = Path(shutil.copytree(minilm, tmp_path / "m"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "gelu_new"}))
    ours = _scored(engine.load(str(folder), "cpu", "fp32")[0], PAIRS, 128)
    assert ours == pytest.approx(FlagEmbeddingBackend(str(folder), "cpu").score(PAIRS, 128), abs=2e-5)
    assert ours != pytest.approx(_scored(engine.load(str(minilm), "cpu", "fp32")[0], PAIRS, 128), abs=1e-5)
