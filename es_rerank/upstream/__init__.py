"""The client's traffic to Elasticsearch."""
