"""``es-rerank evaluate``, over a collection that ``es-rerank load`` has loaded."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import ir_measures
import pytest

from tests.cli.conftest import Run
from tests.real.engines import Engine

WORDS = ["snow", "milk", "cats", "rivers"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty documents, four queries; a document's grade is how often its title has the word, so word overlap helps."""
    folder = tmp_path_factory.mktemp("collections") / "words"
    folder.mkdir()
    documents, judged = [], ["query-id\tcorpus-id\tscore"]
    for place in range(60):
        word, count = WORDS[place % 4], place % 3
        title = " ".join([word] * count or ["other"])
        documents.append({"_id": f"d{place}", "title": title, "text": f"{word} {'filler ' * (place % 7)}"})
        judged.append(f"q{place % 4}\td{place}\t{count}")
    (folder / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in documents))
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{n}", "text": w}) + "\n" for n, w in enumerate(WORDS))
    )
    (folder / "qrels.tsv").write_text("\n".join(judged) + "\n")
    return folder


def policies(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / name).mkdir()
        (folder / name / "p.yaml").write_text("indices: [words]\npassage: {fields: [title]}\n" + text)
    return [folder / name for name in texts]


def test_from_a_folder_to_a_table(run: Run, library: Engine, collection: Path, tmp_path: Path) -> None:
    """Loaded (twice: nothing doubles), measured as ir-measures measures the exported runs, gone on with, and bounded."""
    httpx.delete(f"{library.url}/words", timeout=30)
    for words in ("words: 60 documents\n", "was there already"):
        assert words in run("load", collection, "words", "--upstream", library.url).stdout
    one, other = policies(tmp_path, title="", narrow="rank_window_size: 2\n")
    runs, report = tmp_path / "runs", tmp_path / "report.json"
    query = '{"query": {"multi_match": {"query": "{{query}}", "fields": ["title", "text"]}}}'
    command = ["evaluate", collection, "words", "--upstream", library.url, "--scorer", "fake", "--query", query]
    command += [
        "--config",
        one,
        "--config",
        other,
        "--runs",
        runs,
        "--report",
        report,
        "--measure",
        "nDCG@10",
        "--measure",
        "AP@100",
    ]
    told = run(*command)
    assert told.returncode == 0, told.stderr
    assert "title against raw Elasticsearch · words, 4 queries" in told.stdout
    assert "raw: median" in told.stdout
    assert "4 passed-through (mode-off)" in told.stdout
    found = json.loads(report.read_text())
    judged = [
        ir_measures.Qrel(q, d, int(s))
        for q, d, s in (line.split("\t") for line in (collection / "qrels.tsv").read_text().splitlines()[1:])
    ]
    for written in found["runs"]:
        exported = list(ir_measures.read_trec_run(str(runs / f"{written['name']}.run")))  # type: ignore[no-untyped-call]
        assert exported
        for measure, of in written["values"].items():
            by_hand = {
                e.query_id: e.value for e in ir_measures.iter_calc([ir_measures.parse_measure(measure)], judged, exported)
            }
            assert of == by_hand
    before = [path.read_bytes() for path in sorted(runs.iterdir())]
    again = run(*command, "--fail-below", "nDCG@10=1.01", "--fail-below", "AP@100=raw")
    assert again.returncode == 1
    assert "title: nDCG@10 is" in again.stdout
    assert [path.read_bytes() for path in sorted(runs.iterdir())] == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--query", "nonsense"], "--query"),
        (["--query", '{"query": {}}'], "no {{query}} in it"),
        (["--query", "@/nowhere.json"], "--query"),
        (["--fail-below", "nDCG@10=good"], "--fail-below"),
        (["--measure", "nDCQ@10"], "nDCQ@10: not a measure"),
    ],
)
def test_wrong_input(run: Run, collection: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """One line that names the option; exit status 2."""
    (folder,) = policies(tmp_path, title="")
    told = run("evaluate", collection, "words", "--scorer", "fake", "--config", folder, *arguments)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1), told.stderr
    assert words in told.stderr


def test_runs_of_another_question(run: Run, collection: Path, library: Engine, tmp_path: Path) -> None:
    """Are not mixed; two folders of one name are refused; a missing index is told in Elasticsearch's words."""
    (folder,) = policies(tmp_path, title="")
    runs = tmp_path / "runs"
    command = ["evaluate", collection, "missing", "--upstream", library.url, "--scorer", "fake", "--runs", runs]
    told = run(*command, "--config", folder)
    assert told.returncode == 2
    assert "query 'q0' was answered 404" in told.stderr
    told = run(*command, "--config", folder, "--size", "7")
    assert "made with another size" in told.stderr
    assert "two runs would be called 'title'" in run(*command, "--config", folder, "--config", folder).stderr
