"""Speed of what is not reranked: the proxy beside a plain one and beside nginx, in one run."""
