"""One search, a file for each step of the walk: pure functions on plain values, no I/O, no clock, no chance."""
