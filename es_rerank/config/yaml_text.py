"""YAML text → plain values, and the line of every key.

Only what JSON can say is accepted: mappings with text keys, lists, text, numbers, booleans, null. A key that stands twice
is an error. PyYAML is used here and nowhere else.
"""

from __future__ import annotations

from typing import Any

import yaml

from es_rerank.errors import ConfigError

Lines = dict[tuple[str | int, ...], int]
"""Path of keys and list places → line, from 1."""


MOST_VALUES = 20_000
"""In one file, aliases written out: those of aliases grow without a bound."""


def read(text: str, place: str) -> tuple[dict[str, Any], Lines]:
    """Parse one file's text; raises ConfigError with ``place`` and the line."""
    lines: Lines = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = {} if node is None else _value(node, (), lines, place)
    except RecursionError as exc:
        remedy = "write it out; an alias must not hold itself"
        raise ConfigError(place, "", "nested too deeply", remedy) from exc
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        problem = f"this is not YAML: {exc.problem or exc.context}"
        raise ConfigError(f"{place}:{line}", "", problem, "mend the line, or the one above it") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(place, "", f"this is not YAML: {exc}", "save the file as UTF-8 text") from exc
    if not isinstance(value, dict):
        raise ConfigError(f"{place}:1", "", "expected keys with values", "write `key: value` lines")
    return value, lines


def _value(node: yaml.Node, path: tuple[str | int, ...], lines: Lines, place: str) -> Any:  # noqa: ANN401  YAML
    lines.setdefault(path, node.start_mark.line + 1)
    if len(lines) > MOST_VALUES:
        raise ConfigError(f"{place}:{node.start_mark.line + 1}", "", f"more than {MOST_VALUES} values", "do without aliases")
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, step), lines, place) for step, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return yaml.SafeLoader("").construct_object(node)
    found: dict[str, Any] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        name = str(key.value)
        if not isinstance(key, yaml.ScalarNode) or name in found:
            problem = f"`{name}` stands here a second time" if name in found else "a key has to be text"
            raise ConfigError(f"{place}:{line}", ".".join(map(str, (*path, name))), problem, "keep one of them")
        lines[(*path, name)] = line
        found[name] = _value(child, (*path, name), lines, place)
    return found


def write(values: dict[str, Any]) -> str:
    """Values as YAML, keys in their order."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
