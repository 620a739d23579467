"""``python -m es_rerank``."""

from es_rerank.cli import main

if __name__ == "__main__":
    main()
