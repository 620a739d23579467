"""The folder of policy files → policies. All or nothing: one bad file refuses the whole folder.

``_defaults.yaml`` holds keys for every policy; each other ``*.yaml`` or ``*.yml`` is one policy. Hidden files (Kubernetes'
``..data`` among them) are not policies. What msgspec refuses is said again with file, line, key and a remedy.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import msgspec

from es_rerank.config import experiments, yaml_text
from es_rerank.core import policy as structs
from es_rerank.core.experiment import CONTROL, ExperimentPolicy, ExposurePolicy, UnitSource
from es_rerank.core.patterns import literal_prefix
from es_rerank.core.policy import PLACEHOLDER, ByteSize, IndexPolicy
from es_rerank.errors import ConfigError

DEFAULTS = "_defaults.yaml"

_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


class Source:
    """One parsed file: its values and where each key stands."""

    def __init__(self, file: Path) -> None:
        self.place = str(file)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            remedy = "make it readable UTF-8 for the user that runs es-rerank, or take it out of the folder"
            raise ConfigError(self.place, "", f"cannot be read: {exc}", remedy) from exc
        self.values, self.lines = yaml_text.read(text, self.place)

    def at(self, path: tuple[str | int, ...]) -> str:
        """``FILE:LINE`` of a key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.place}:{self.lines.get(path, 1)}"


def files(folder: Path) -> list[Path]:
    """The policy files of a folder, by name, ``_defaults.yaml`` left out; raises ConfigError without a folder."""
    if not folder.is_dir():
        remedy = "name the folder with --config, or make one with `es-rerank init`"
        raise ConfigError(str(folder), "", "there is no such folder", remedy)
    found = (file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"})
    return sorted(file for file in found if not file.name.startswith(".") and file.name != DEFAULTS)


def load(folder: Path, base: dict[str, Any] | None = None, over: dict[str, Any] | None = None) -> tuple[IndexPolicy, ...]:
    """Load a folder; ``base`` holds defaults that ``_defaults.yaml`` may override, ``over`` what beats every file.

    Raises ConfigError.
    """
    paths = files(folder)
    defaults = Source(folder / DEFAULTS) if (folder / DEFAULTS).exists() else None
    shared = dict(base or {})
    if defaults is not None:
        if "indices" in defaults.values:
            remedy = "give each family of indices a file of its own"
            raise ConfigError(defaults.at(("indices",)), "indices", "defaults belong to no index", remedy)
        _convert(_over(_merged(shared, _HOLLOW), defaults.values), defaults)
        shared = _merged(shared, defaults.values)
    loaded = [Source(file) for file in paths]
    policies = [_policy(_merged(_over(shared, source.values), over or {}), source) for source in loaded]
    _refuse_conflicts(list(zip(loaded, policies, strict=True)))
    return tuple(policies)


_HOLLOW: dict[str, Any] = {"indices": ["*"], "passage": {"fields": ["*"]}}


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another, section by section; lists are replaced."""
    joined = {key: dict(value) if isinstance(value, dict) else value for key, value in under.items()}
    for key, value in over.items():
        below = joined.get(key)
        joined[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return joined


def _over(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay a file over the defaults; naming text one way takes the place of defaults that name it the other way."""
    joined = _merged(shared, own)
    passage = own.get("passage")
    if isinstance(passage, dict) and isinstance(joined["passage"], dict):
        for given, other in (("fields", "template"), ("template", "fields")):
            if given in passage and other not in passage:
                joined["passage"].pop(other, None)
    return joined


def _hook(kind: type, value: object) -> object:
    if kind is ByteSize:
        return ByteSize.parse(value)
    msg = f"cannot read {kind}"
    raise NotImplementedError(msg)


def _policy(values: dict[str, Any], source: Source) -> IndexPolicy:
    """One file's policy, with those of its experiment's variants."""
    policy = _convert(experiments.weights_only(values, source.at), source)
    if policy.experiment is None:
        return policy
    experiments.refuse(policy.experiment, values, source.at)
    plain = {key: value for key, value in values.items() if key != "experiment"}
    variants = {}
    for name in policy.experiment.variants:
        if name != CONTROL:
            keys = experiments.keys_of(values, name)
            variants[name] = _convert(_over(plain, keys), source, ("experiment", "variants", name), keys)
    return msgspec.structs.replace(policy, variants=variants)


def _convert(
    values: dict[str, Any], source: Source, within: tuple[str, ...] = (), own: dict[str, Any] | None = None
) -> IndexPolicy:
    """Check one policy's values; raises ConfigError at the line of the key.

    ``within`` is the section that a variant's ``own`` keys stand in; faults of the others are the file's.
    """
    if "variants" in values:
        remedy = "write variants in the `experiment` section"
        raise ConfigError(source.at((*within, "variants")), "variants", "there is no such key", remedy)
    try:
        policy = msgspec.convert(values, IndexPolicy, dec_hook=_hook)
    except msgspec.ValidationError as exc:
        raise _said(str(exc), source, within, own) from exc
    try:
        _check(policy, source)
    except ConfigError as fault:
        if within:
            raise ConfigError(source.at(within), fault.key, fault.problem, fault.remedy) from fault
        raise
    return policy


def _check(policy: IndexPolicy, source: Source) -> None:
    """Refuse keys that contradict each other."""
    passage = policy.passage
    if bool(passage.fields) == (passage.template is not None):
        problem = "give either `fields` or `template`" if passage.fields else "no text is named for the model to read"
        remedy = "name the fields whose text tells what a document is about, [title, description] for one"
        raise ConfigError(source.at(("passage",)), "passage", problem, remedy)
    if passage.template is not None and not PLACEHOLDER.search(passage.template):
        remedy = 'write field names in double braces: "{{title}}. {{description}}"'
        raise ConfigError(source.at(("passage", "template")), "passage.template", "it names no field", remedy)
    if passage.long_text == "best_passage" and passage.passage_tokens >= passage.max_length:
        problem = f"{passage.passage_tokens} leaves no room for the query within max_length ({passage.max_length})"
        raise ConfigError(source.at(("passage", "passage_tokens")), "passage.passage_tokens", problem, "lower it")
    if passage.long_text == "best_passage" and passage.stride >= passage.passage_tokens:
        problem = f"{passage.stride} is not less than passage_tokens ({passage.passage_tokens})"
        raise ConfigError(source.at(("passage", "stride")), "passage.stride", problem, "lower it; a fifth is usual")
    if policy.rank_window_size > policy.window_max:
        remedy = "raise window_max or lower rank_window_size"
        problem = f"{policy.rank_window_size} is more than window_max ({policy.window_max})"
        raise ConfigError(source.at(("rank_window_size",)), "rank_window_size", problem, remedy)
    if policy.timeout_ms > policy.timeout_max_ms:
        remedy = "raise timeout_max_ms or lower timeout_ms"
        problem = f"{policy.timeout_ms} is more than timeout_max_ms ({policy.timeout_max_ms})"
        raise ConfigError(source.at(("timeout_ms",)), "timeout_ms", problem, remedy)


def _said(message: str, source: Source, within: tuple[str, ...] = (), own: dict[str, Any] | None = None) -> ConfigError:
    """Turn msgspec's words into ours."""
    match = _PATH.match(message)
    what, raw = (match["what"], match["path"] or "") if match else (message, "")
    path: tuple[str | int, ...] = tuple(
        int(step[2]) if (step[2] or "").isdecimal() else step[1] or "..." for step in _STEP.finditer(raw)
    )
    unknown = _UNKNOWN.match(what)
    if within and own is not None and (path[0] if path else unknown and unknown[1]) in own:
        path = (*within, *path)
    if unknown:
        name = unknown[1]
        section = ".".join(map(str, path))
        known = _known(path[len(within) :] if within and path[: len(within)] == within else path)
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean `{near[0]}`?" if near else f"known keys here: {', '.join(known)}"
        key = f"{section}.{name}" if section else name
        return ConfigError(source.at((*path, name)), key, "there is no such key", remedy)
    key = ".".join(map(str, path))
    missing = re.match(r"Object missing required field `(.*)`", what)
    if missing:
        name = missing[1]
        return ConfigError(source.at(path), f"{key}.{name}" if key else name, "this key is missing", "add it")
    return ConfigError(source.at(path), key, what, "see docs/configuration.md for what it takes")


def _known(path: tuple[str | int, ...]) -> list[str]:
    """The keys of the section at a path."""
    sections: dict[tuple[str | int, ...], type[msgspec.Struct]] = {
        (): structs.IndexPolicy,
        ("passage",): structs.PassagePolicy,
        ("query",): structs.QueryPolicy,
        ("score",): structs.ScorePolicy,
        ("fusion",): structs.FusionPolicy,
        ("widen",): structs.WidenPolicy,
        ("syntax",): structs.SyntaxPolicy,
        ("experiment",): ExperimentPolicy,
        ("experiment", "exposures"): ExposurePolicy,
        ("experiment", "unit"): UnitSource,
    }
    found = sections.get(path)
    return [name for name in found.__struct_fields__ if name != "variants" or path] if found is not None else []


def _refuse_conflicts(pairs: list[tuple[Source, IndexPolicy]]) -> None:
    """No pattern or experiment twice, and no two patterns of different files whose literal prefixes are equally long and
    alike.
    """
    ids: dict[str, str] = {}
    for source, policy in pairs:
        if policy.experiment is not None:
            here, name = source.at(("experiment", "id")), policy.experiment.id
            if name in ids:
                problem = f"`{name}` is an experiment of {ids[name]}, too"
                raise ConfigError(here, "experiment.id", problem, "give each experiment an id of its own")
            ids[name] = here
    seen: dict[str, tuple[str, str]] = {}
    for source, policy in pairs:
        for step, pattern in enumerate(policy.indices):
            here = source.at(("indices", step))
            key = literal_prefix(pattern) + ("*" if "*" in pattern else "")
            other = seen.get(key)
            if other is not None and (other[0] != source.place or other[1].endswith(f"\0{pattern}")):
                where, _, which = other[1].partition("\0")
                problem = f"`{pattern}` and `{which}` ({where}) match with equally long prefixes"
                raise ConfigError(here, "indices", problem, "keep the pattern in one file, or make one more specific")
            seen[key] = (source.place, f"{here}\0{pattern}")
