"""A folder of policies with one file changed, before anybody saves it: loaded as the real one would be, and told alike."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from es_rerank.config.loader import DEFAULTS, files, load
from es_rerank.core.policy import IndexPolicy
from es_rerank.errors import ConfigError

MOST_BYTES = 262_144

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml")


def texts(folder: Path) -> dict[str, str]:
    """What each policy file says, by name, the defaults first; what cannot be read is left out."""
    found = {}
    for file in (folder / DEFAULTS, *files(folder)):
        try:
            found[file.name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return found


def draft(
    folder: Path, name: str, text: str, base: dict[str, Any] | None = None, over: dict[str, Any] | None = None
) -> tuple[IndexPolicy, ...]:
    """Load the folder as if file ``name``, there or not, said ``text``; raises ConfigError with the folder's own places."""
    if not _NAME.fullmatch(name):
        raise ConfigError(name, "", "this is no name of a policy file", "letters, digits, `_`, `.` and `-`, then .yaml")
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise ConfigError(name, "", f"longer than {MOST_BYTES} bytes", "keep policies short")
    with tempfile.TemporaryDirectory(prefix="es-rerank-draft-") as place:
        beside = Path(place)
        for file in (folder / DEFAULTS, *files(folder)):
            if file.exists() and file.name != name:
                shutil.copyfile(file, beside / file.name)
        (beside / name).write_text(text, encoding="utf-8", errors="replace")
        try:
            return load(beside, base, over)
        except ConfigError as fault:
            told = fault.place.replace(str(beside), str(folder))
            raise ConfigError(told, fault.key, fault.problem.replace(str(beside), str(folder)), fault.remedy) from fault
