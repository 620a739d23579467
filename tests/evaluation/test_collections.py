"""Judged collections in every layout that people have, and what is said of those that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from es_rerank.evaluation.collections import CollectionFault, Query, documents, load


def beir(folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq9\td1\t1\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "deep snow"}\n\n{"_id": "q2", "text": "unjudged"}\n')
    (folder / "qrels.tsv").write_text(qrels)
    with gzip.open(folder / "corpus.jsonl.gz", "wt") as file:
        file.write('{"_id": "d1", "title": "Snow", "text": "雪"}\n')
    return folder


def test_beir(tmp_path: Path) -> None:
    """Only queries with judgments, with a header line or without; documents packed or not."""
    found = load(beir(tmp_path / "snow"))
    assert (found.name, found.queries, found.judgments) == (
        "snow",
        (Query("q1", "deep snow"),),
        {"q1": {"d1": 2, "d2": 0}},
    )
    assert load(beir(tmp_path / "bare", "q1\td1\t1\n")).judgments == {"q1": {"d1": 1}}
    assert list(documents(tmp_path / "snow")) == [("d1", {"title": "Snow", "text": "雪"})]
    other = tmp_path / "other"
    beir(other)
    (other / "qrels").mkdir()
    (other / "qrels.tsv").rename(other / "qrels/test.tsv")
    assert load(other).judgments == found.judgments


@pytest.mark.parametrize("topics", ["1\tdeep snow\n", "<top>\n<num> Number: 1\n<title> deep\n snow\n<desc> x\n</top>\n"])
def test_trec(tmp_path: Path, topics: str) -> None:
    """Qrels in four columns; topics as lines or as elements."""
    (tmp_path / "q.txt").write_text(topics)
    (tmp_path / "snow.qrels").write_text("1 0 d1 2\n1\t0\td2\t0\n")
    found = load(tmp_path / "snow.qrels", tmp_path / "q.txt")
    assert (found.queries, found.judgments) == ((Query("1", "deep snow"),), {"1": {"d1": 2, "d2": 0}})


def test_csv(tmp_path: Path) -> None:
    """With ids of queries, or the queries themselves as ids."""
    (tmp_path / "a.csv").write_text("query,doc_id,relevance\ndeep snow,d1,2\ndeep snow,d2,0.0\n")
    assert load(tmp_path / "a.csv").judgments == {"deep snow": {"d1": 2, "d2": 0}}
    (tmp_path / "b.csv").write_text("\ufeffquery_id,query,doc_id,relevance\n7,deep snow,d1,2\n")
    assert load(tmp_path / "b.csv").queries == (Query("7", "deep snow"),)


def test_rank_eval(tmp_path: Path) -> None:
    """Whole bodies, and templates with parameters."""
    ratings = [{"_index": "i", "_id": "d1", "rating": 1}]
    body = {
        "templates": [{"id": "t", "template": {"source": {"query": {"match": {"title": "{{words}}"}}}}}],
        "requests": [
            {"id": "q1", "request": {"query": {"match_all": {}}}, "ratings": ratings},
            {"id": "q2", "template_id": "t", "params": {"words": "snow"}, "ratings": ratings},
        ],
        "metric": {"precision": {}},
    }
    (tmp_path / "r.json").write_text(json.dumps(body))
    first, second = load(tmp_path / "r.json").queries
    assert first == Query("q1", body={"query": {"match_all": {}}})
    assert second.endpoint == "_search/template"
    assert second.body == {"source": {"query": {"match": {"title": "{{words}}"}}}, "params": {"words": "snow"}}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.csv", "query,doc\n", "x.csv:1: the header line lacks doc_id, relevance"),
        ("x.csv", "query,doc_id,relevance\na,d1,high\n", "x.csv:2: expected query, document and a number"),
        ("x.json", "[", "not JSON"),
        ("x.json", "[]", "not a JSON object"),
        ("x.json", '{"requests": [{"id": "q", "template_id": "t", "ratings": []}]}', "request 'q'"),
        ("x.json", '{"requests": []}', "no query has a judgment"),
        ("x.txt", "", "neither a folder"),
    ],
)
def test_faults(tmp_path: Path, name: str, text: str, words: str) -> None:
    """By file and line."""
    (tmp_path / name).write_text(text)
    with pytest.raises(CollectionFault, match=words):
        load(tmp_path / name)


def test_faults_of_folders(tmp_path: Path) -> None:
    """What is missing, and lines that are no queries, judgments or documents."""
    folder = beir(tmp_path / "snow")
    for name, text, words in (
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1: a query needs"),
        ("queries.jsonl", "[]\n", "queries.jsonl:1: not a JSON object"),
        ("qrels.tsv", "q1 d1 1\n", "qrels.tsv:1: expected query"),
    ):
        beir(folder)
        (folder / name).write_text(text)
        with pytest.raises(CollectionFault, match=words):
            load(folder)
    (folder / "qrels.tsv").unlink()
    beir(folder)
    (folder / "qrels.tsv").unlink()
    with pytest.raises(CollectionFault, match=r"neither qrels\.tsv"):
        load(folder)
    (folder / "corpus.jsonl.gz").unlink()
    with pytest.raises(CollectionFault, match=r"no corpus\.jsonl"):
        list(documents(folder))
    (folder / "corpus.jsonl").write_text('{"title": "x"}\n')
    with pytest.raises(CollectionFault, match="without `_id`"):
        list(documents(folder))
    with pytest.raises(CollectionFault, match="there is no such"):
        load(tmp_path / "nowhere")
    (tmp_path / "t.txt").write_text("<top><num>1</top>")
    (tmp_path / "q.txt").write_text("1 0 d1 1\n")
    with pytest.raises(CollectionFault, match="without <num> or <title>"):
        load(tmp_path / "q.txt", tmp_path / "t.txt")
    (tmp_path / "t.txt").write_text("deep snow\n")
    with pytest.raises(CollectionFault, match=r"t\.txt:1: expected an id, a tab"):
        load(tmp_path / "q.txt", tmp_path / "t.txt")
