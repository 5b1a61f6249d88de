"""New values in files that hold others: JSON, TOML, YAML and `.env`. Comments and order stay.

Lines are edited as text; what comes of it is then read by the format's own parser and has to say what
was meant, else nothing is written.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from llmgw.errors import LlmgwError

Values = Mapping[str, str]


class MergeError(LlmgwError):
    """The file cannot be understood, or not be changed with certainty."""


def merge_json(text: str, values: Mapping[str, Any]) -> str:
    """A JSON object with these members, objects joined member by member."""
    try:
        held = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise MergeError(f"it is not JSON ({error})") from None
    if not isinstance(held, dict):
        raise MergeError("it is not a JSON object")
    return json.dumps(_joined(held, values), indent=2, ensure_ascii=False) + "\n"


def merge_env(text: str, values: Values) -> str:
    """`NAME=value` lines; of several lines for one name, one stays."""
    lines = text.splitlines()
    for name, value in values.items():
        assigned = rf"(export\s+)?{re.escape(name)}\s*="
        fitting = [index for index, line in enumerate(lines) if re.match(assigned, line)]
        for index in reversed(fitting[1:]):
            del lines[index]
        _set_line(lines, 0, len(lines), assigned, f"{name}={value}")
    return _text(lines)


def merge_yaml(text: str, values: Values) -> str:
    """Texts at the top of a YAML mapping."""
    held = _read_yaml(text)
    lines = text.splitlines()
    for name, value in values.items():
        _set_line(lines, 0, len(lines), rf"{re.escape(name)}\s*:", f"{name}: {json.dumps(value)}")
    return _checked(_text(lines), _joined(held, values), _read_yaml)


def merge_toml(text: str, top: Values, table: str, values: Values) -> str:
    """Texts before the first table of a TOML file, and those of one table."""
    held = _read_toml(text)
    lines = text.splitlines()
    for name, value in reversed(list(top.items())):
        _set_line(
            lines, 0, _next_table(lines, 0), _assigned(name), f"{name} = {json.dumps(value)}", first=True
        )
    start = next((i for i, line in enumerate(lines) if line.strip() == f"[{table}]"), None)
    if start is None:
        lines += [*([""] if lines else []), f"[{table}]"]
        start = len(lines) - 1
    for name, value in values.items():
        end = _next_table(lines, start + 1)
        _set_line(lines, start + 1, end, _assigned(name), f"{name} = {json.dumps(value)}")
    inner: dict[str, Any] = dict(values)
    for name in reversed(table.split(".")):
        inner = {name: inner}
    return _checked(_text(lines), _joined(held, {**top, **inner}), _read_toml)


def _set_line(
    lines: list[str], start: int, end: int, pattern: str, line: str, *, first: bool = False
) -> None:
    """Replace the line that fits within these, or add one at their end (`first`: at their start)."""
    for index in range(start, end):
        if re.match(pattern, lines[index]):
            lines[index] = line
            return
    while not first and end > start and not lines[end - 1].strip():
        end -= 1
    lines.insert(start if first else end, line)


def _assigned(name: str) -> str:
    return rf"{re.escape(name)}\s*="


def _next_table(lines: list[str], start: int) -> int:
    """Where the next table begins."""
    return next((i for i in range(start, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _joined(held: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the new values winning; objects are joined in their turn."""
    joined: dict[str, Any] = dict(held)
    for name, value in values.items():
        before = joined.get(name)
        if isinstance(value, Mapping) and before is not None:
            if not isinstance(before, dict):
                raise MergeError(f"'{name}' is not what it should be")
            joined[name] = _joined(before, value)
        else:
            joined[name] = value
    return joined


def _checked(text: str, meant: dict[str, Any], read: Any) -> str:
    if read(text) != meant:
        raise MergeError("it is laid out in a way that cannot be changed with certainty")
    return text


def _read_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MergeError(f"it is not TOML ({error})") from None


def _read_yaml(text: str) -> dict[str, Any]:
    try:
        held = yaml.safe_load(text)
    except yaml.YAMLError:
        raise MergeError("it is not YAML") from None
    if held is not None and not isinstance(held, dict):
        raise MergeError("it is not a YAML mapping")
    return held or {}
