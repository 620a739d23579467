"""YAML and environment → policies and settings, with errors that name file, key and line."""
