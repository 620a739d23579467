"""Pairs → logits: backends, batching, and how long a text is."""
