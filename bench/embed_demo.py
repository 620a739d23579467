"""Writes the embeddings of the demo's documents and queries anew (needs the extra `embedded`)."""

from __future__ import annotations

import json
from pathlib import Path

from es_rerank.scoring.e5 import E5

FILE = Path(__file__).parents[1] / "es_rerank/cli/data/demo.json"


def main() -> None:
    """Embed with multilingual-e5-small, three decimals."""
    collection = json.loads(FILE.read_text())
    model = E5()
    for document in collection["documents"]:
        vector = model.embed([f"{document['title']} {document['text']}"], asked=False)[0]
        document["embedding"] = [round(float(number), 3) for number in vector]
    for search in collection["searches"]:
        vector = model.embed([search["query"]], asked=True)[0]
        search["embedding"] = [round(float(number), 3) for number in vector]
    lines = ["{", '"documents": [']
    lines += [",\n".join(json.dumps(entry, ensure_ascii=False) for entry in collection["documents"]), "],", '"searches": [']
    lines += [",\n".join(json.dumps(entry, ensure_ascii=False) for entry in collection["searches"]), "]", "}", ""]
    FILE.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
