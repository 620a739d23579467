"""Walks the stages of a search; owns deadlines, fallback and recovery. Knows rooms with I/O as ``core.ports`` only."""
