"""A plain tree to settings structs, telling every problem with its path, not the first only."""

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from llmgw.settings.litellm import NOT_ACTED_ON
from llmgw.settings.parse import Tree
from llmgw.settings.problems import Path, Report, did_you_mean
from llmgw.settings.secrets import (
    SecretReference,
    UnresolvedReferenceError,
    is_reference,
    resolve_text,
)

S = TypeVar("S", bound=msgspec.Struct)

_BROKEN = cast(Any, object())
"""Stands for a value that was reported; whatever holds it is not built."""


def decode(tree: Tree, kind: type[S], report: Report, environment: Mapping[str, str]) -> S | None:
    """Build the struct, or report everything that is wrong with the tree and return `None`.

    References in plain fields are replaced by what they stand for; those in secret fields are kept.
    """
    value = _Decoder(report, environment).value(tree, kind, ())
    return None if value is _BROKEN else cast(S, value)


class _Decoder:
    def __init__(self, report: Report, environment: Mapping[str, str]) -> None:
        self._report = report
        self._environment = environment

    def value(self, value: Tree, kind: Any, path: Path) -> Any:
        """The value as its type, or `_BROKEN`."""
        kind = _without_none(kind) if value is None or _is_optional(kind) else kind
        kind = _struct_in_union(kind, value)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(value, kind, path)
        origin = get_origin(kind)
        if origin is tuple:
            return self._sequence(value, get_args(kind)[0], path)
        if origin is dict:
            key_kind, item_kind = get_args(kind)
            return self._mapping(value, key_kind, item_kind, path)
        return self._leaf(value, kind, path)

    def _struct(self, value: Tree, kind: type[msgspec.Struct], path: Path) -> Any:
        if not isinstance(value, dict):
            return self._error(path, "expected a mapping")
        sound = self._known_keys(value, kind, path)
        hints = _hints(kind)
        fields: dict[str, Any] = {}
        for field in msgspec.structs.fields(kind):
            written = value.get(field.encode_name)
            if written is None:  # a key without a value is as if left out
                if field.required:
                    self._error(path, f"'{field.encode_name}' is missing")
                    sound = False
                continue
            decoded = self.value(written, hints[field.name], (*path, field.encode_name))
            if decoded is _BROKEN:
                sound = False
            fields[field.name] = decoded
        return self._build(kind, fields, path) if sound else _BROKEN

    def _build(self, kind: type[msgspec.Struct], fields: dict[str, Any], path: Path) -> Any:
        try:
            return kind(**fields)
        except ValueError as error:  # a struct's own __post_init__
            return self._error(path, str(error))

    def _known_keys(self, value: dict[str, Tree], kind: type[msgspec.Struct], path: Path) -> bool:
        """Report keys that mean nothing; warn of those that LiteLLM acts on and we do not."""
        if not kind.__struct_config__.forbid_unknown_fields:
            return True
        known = {field.encode_name for field in msgspec.structs.fields(kind)}
        ignored = NOT_ACTED_ON.get(kind, frozenset())
        sound = True
        for key in value:
            if key in known:
                continue
            if key in ignored:
                self._report.warn((*path, key), "known from LiteLLM, but not acted on yet")
                continue
            hint = did_you_mean(str(key), known | ignored)
            self._error((*path, key), f"unknown key '{key}'{hint}")
            sound = False
        return sound

    def _sequence(self, value: Tree, kind: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return self._error(path, "expected a list")
        items = [self.value(item, kind, (*path, index)) for index, item in enumerate(value)]
        return _BROKEN if any(item is _BROKEN for item in items) else tuple(items)

    def _mapping(self, value: Tree, key_kind: Any, kind: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            return self._error(path, "expected a mapping")
        items = {
            self._leaf(key, key_kind, (*path, key)): self.value(item, kind, (*path, key))
            for key, item in value.items()
            if item is not None
        }
        broken = _BROKEN in items or any(item is _BROKEN for item in items.values())
        return _BROKEN if broken else items

    def _leaf(self, value: Tree, kind: Any, path: Path) -> Any:
        if value is None:
            return self._error(path, "expected a value")
        try:
            if kind is not SecretReference and isinstance(value, str) and is_reference(value):
                value = resolve_text(value, self._environment)
            return msgspec.convert(value, kind, strict=False, dec_hook=_secret)
        except (msgspec.ValidationError, UnresolvedReferenceError) as error:
            return self._error(path, str(error))

    def _error(self, path: Path, message: str) -> Any:
        self._report.error(path, message)
        return _BROKEN


def _secret(kind: type, value: Tree) -> Any:
    """msgspec's hook for the one type of ours: numbers are secrets too (`REDIS_PORT: 6379`)."""
    if kind is SecretReference and isinstance(value, str | int | float):
        return SecretReference(str(value))
    raise ValueError("Expected text")


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)


def _without_none(kind: Any) -> Any:
    """`X` of `X | None`."""
    if not _is_optional(kind):
        return kind
    rest = [part for part in get_args(kind) if part is not type(None)]
    return Union[tuple(rest)]  # noqa: UP007 - built at run time


def _struct_in_union(kind: Any, value: Tree) -> Any:
    """Of `text | Struct`, the part that fits what was written."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    for part in get_args(kind):
        is_struct = isinstance(part, type) and issubclass(part, msgspec.Struct)
        if is_struct == isinstance(value, dict):
            return part
    return kind
