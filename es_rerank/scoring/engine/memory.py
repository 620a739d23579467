"""How the C library hands memory out: kept for the next batch instead of given back after each.

glibc gives every block of more than some megabytes back to the system when it is freed, and the next one is faulted in
page by page. A forward pass frees and asks for the same blocks all the time; keeping them saves a tenth of its time on a
processor (docs/performance.md). Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""``mallopt``'s names for them (malloc.h)."""


def keep() -> bool:
    """Keep freed blocks of up to 32 MiB, the most that glibc allows; False: this is no glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 32 << 20) and mallopt(_TRIM_THRESHOLD, 1 << 30))
