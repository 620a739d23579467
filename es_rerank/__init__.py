"""A proxy in front of Elasticsearch that answers the same searches in a better order."""

__version__ = "0.1.0"
