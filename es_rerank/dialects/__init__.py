"""Other systems' rerank requests and answers ⇄ queries with texts. Pure: no HTTP, no model, no clock."""
