"""Parts of the forward pass that the comparison with other implementations cannot see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring.engine.checkpoint import Checkpoint  # noqa: E402
from es_rerank.scoring.engine.linear import PLAIN  # noqa: E402
from es_rerank.scoring.engine.model import Batch, CrossEncoder, Norm  # noqa: E402
from es_rerank.scoring.engine.packing import Bucket, pack  # noqa: E402
from es_rerank.scoring.tokens import Tokens  # noqa: E402

pytestmark = pytest.mark.model


def test_norm_keeps_the_type_and_computes_in_fp32() -> None:
    """Values whose squares overflow 16 bits are normalised all the same."""
    norm = Norm(torch.ones(4), torch.zeros(4), 1e-5)
    x = torch.tensor([[1000.0, -1000.0, 1000.0, -1000.0]])
    assert norm(x.bfloat16()).dtype == torch.bfloat16
    torch.testing.assert_close(norm(x.bfloat16()).float(), torch.tensor([[1.0, -1.0, 1.0, -1.0]]))


@pytest.mark.parametrize("name", ["minilm", "xlmr"])
def test_filling_up_changes_no_logit(name: str, request: pytest.FixtureRequest) -> None:
    """A batch in a bucket, as graphs need it, with dummy and empty sequences: the real rows stay as they are."""
    folder: Path = request.getfixturevalue(name)
    model = CrossEncoder(Checkpoint(str(folder)), torch.device("cpu"), torch.float32, PLAIN)
    pairs = [Tokens(np.arange(5, 5 + length, dtype=np.int32), 4, int(model.shape.stem == "bert")) for length in (20, 31, 64)]
    first = model.shape.first_position
    bare, filled = pack(pairs, first), pack(pairs, first, Bucket(256, 16, 64))
    expected = model(Batch(bare, torch.from_numpy(bare.data)))
    found = model(Batch(filled, torch.from_numpy(filled.data)))[: len(pairs)]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
